import Documents
import Execution

/// Reads sweeps: a file of its own, or a scenario with axes from the command line.
package enum SweepFile {
  /// - Parameters:
  ///   - name: A sweep file, a scenario file, or the name of a shipped scenario.
  ///   - axes: Those of the command line, `FIELD=VALUES`; they replace the file's axis of the same field.
  ///   - sample: Points of a Latin hypercube; nothing for what the file says.
  /// - Throws: `DataError`, `UnknownName`.
  package static func read(
    _ name: String, axes: [SweepAxis], sample: Int?, seed: Int?, library: Library
  ) throws -> Sweep {
    let document = try Self.document(name, library)
    guard document.value(at: "vary") != nil || document.value(at: "scenario") != nil else {
      return try sweep(scenario: document, axes, sample.map { .sample(points: $0, seed: seed ?? 1) } ?? .grid)
    }
    return try document.strictObject { file in
      let name = try file.string("name")
      let title = try file.string("title")
      let base = try Self.base(file, name: name, title: title, library)
      var varied = try file.optionalArray("vary").map(SweepAxis.read)
      varied.removeAll { old in axes.contains { $0.field == old.field } }
      var design = try file.optional("sample").map(Self.sample) ?? .grid
      if let sample { design = .sample(points: sample, seed: seed ?? 1) }
      return try Sweep(name: name, title: title, base: base, axes: varied + axes, design: design)
    }
  }

  private static func document(_ name: String, _ library: Library) throws -> Node {
    if name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.contains("/") {
      return try YAMLDocument.read(path: name)
    }
    let scenario = try library.scenarios().find(name)
    return scenario.document ?? Node(.object([]), file: name)
  }

  private static func sweep(scenario: Node, _ axes: [SweepAxis], _ design: Sweep.Design) throws -> Sweep {
    let read = try SweepPoint(document: scenario).scenario
    return try Sweep(name: read.name, title: read.title, base: scenario, axes: axes, design: design)
  }

  private static func sample(_ node: Node) throws -> Sweep.Design {
    try node.strictObject { block in
      .sample(
        points: try block.int("points", in: 1...Sweep.mostPoints),
        seed: try block.optionalInt("seed", in: 0...Int.max) ?? 1)
    }
  }

  /// The scenario: a name, a file, or a table in place, which needs no name of its own.
  private static func base(_ file: ObjectReader, name: String, title: String, _ library: Library) throws -> Node {
    let node = try file.required("scenario")
    var base = node
    if case .string(let text) = node.value {
      let path = try TrafficReader.path(node)
      base = try Located(text, at: node).resolved { _ in try document(path, library) }
    } else {
      for (key, text) in [("title", title), ("name", name)] where node.value(at: key) == nil {
        base = try base.setting(key, to: Node(.string(text), file: node.file, path: key, line: node.line))
      }
    }
    guard let batch = file.optional("batch") else { return base }
    return try base.setting("batch", to: batch)
  }
}
