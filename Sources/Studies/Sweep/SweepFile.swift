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
    let sweep = try parsed(name, axes: axes, sample: sample, seed: seed, library: library)
    try checkNames(sweep, library)
    return sweep
  }

  private static func parsed(
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

  /// Every name that an axis lists is looked up, all other axes at their first values, so that a typo shows before hours
  /// of runs, not after. What cannot run for another reason is a point's own.
  private static func checkNames(_ sweep: Sweep, _ library: Library) throws {
    let builder = ScenarioBuilder(library: library)
    let first = try sweep.document(of: 0)
    try checkNames(first, builder)
    for axis in sweep.axes {
      guard case .listed(let values) = axis.values else { continue }
      for value in values.prefix(mostChecked) where !value.isNumber {
        do {
          try checkNames(first.setting(axis.field, to: value), builder)
        } catch let error where error is DataError || error is UnknownName {
          if let error = error as? DataError, error.file == axis.node.file { throw error }
          throw axis.node.error("\(axis.field) = \(value.found): \(error)")
        }
      }
    }
  }

  /// Values of an axis that are looked up; a list of more is a list of numbers.
  private static let mostChecked = 1000

  private static func checkNames(_ document: Node, _ builder: ScenarioBuilder) throws {
    do {
      let point = try SweepPoint(document: document)
      if point.batch != nil {
        _ = try builder.deployment(point.scenario, plan: point.plan)
      } else {
        _ = try builder.cluster(point.scenario)
        _ = try builder.source(point.scenario)
      }
    } catch let error where !(error is DataError || error is UnknownName) {
      // A point that cannot run is kept with its reason.
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

extension Node {
  fileprivate var isNumber: Bool {
    switch value {
    case .int, .double, .bool, .null: true
    case .string, .array, .object: false
    }
  }
}
