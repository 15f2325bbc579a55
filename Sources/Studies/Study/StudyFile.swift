import Documents
import Quantities
import Workloads

/// Reads studies from YAML; `Workloads/README.md` describes the format.
package enum StudyFile {
  package static func read(path: String, name: String?) throws -> Study {
    let document = try YAMLDocument.read(path: path)
    let study = try document.strictObject { try Self.study($0, name: name) }
    // Every combination is read now, so that a fault shows before hours of runs, not after.
    for page in study.pages {
      for value in study.compared.values.indices { _ = try study.scenario(value, page) }
    }
    return study
  }

  private static func study(_ file: ObjectReader, name: String?) throws -> Study {
    let name = try checkedName(file, name)
    let title = try file.string("title")
    let (goal, loads) = try file.required("load").strictObject(load)
    return Study(
      name: name, title: title, question: try file.string("question"),
      compared: try axis(file.required("compare")), facets: try file.optionalArray("facets").map(axis),
      loads: loads, goal: goal, searchesCapacities: try file.optionalBool("capacities") ?? false,
      replications: try file.optionalInt("replications", in: 2...1000) ?? 5,
      metrics: try file.required("metrics").array().map { try $0.choice(RunMetric.self) },
      base: try base(file.required("scenario"), name: name, title: title))
  }

  /// The study's name and title serve its scenarios too.
  private static func base(_ node: Node, name: String, title: String) throws -> Node {
    let about: [(key: String, value: Node)] = [("name", name), ("title", title)].map { key, text in
      (key: key, value: Node(.string(text), file: node.file, path: node.path, line: node.line))
    }
    return try Node(.object(about), file: node.file, path: node.path, line: node.line).changed(by: node)
  }

  private static func load(_ block: ObjectReader) throws -> (CapacityGoal, [Double]) {
    let objective = ServiceObjective(
      timeToFirstToken: try block.optionalQuantity("ttft", TimeDimension.self),
      timePerOutputToken: try block.optionalQuantity("tpot", TimeDimension.self),
      endToEnd: try block.optionalQuantity("e2e", TimeDimension.self))
    guard !objective.isEmpty else { throw block.node.error("has no objective, expected 'ttft', 'tpot' or 'e2e'") }
    let share = try block.double("share", in: 0.01...1)
    let node = try block.required("fractions")
    let fractions = try node.array().map { try $0.double(in: 0.01...100) }
    guard !fractions.isEmpty, fractions == fractions.sorted() else {
      throw node.error("expected rising shares of the reference's capacity")
    }
    return (CapacityGoal(.objectives(objective), goodShare: share), fractions)
  }

  private static func axis(_ node: Node) throws -> Study.Axis {
    try node.strictObject { block in
      let values = try block.required("values").array().map(value)
      guard !values.isEmpty else { throw try block.required("values").error("is empty") }
      guard Set(values.map(\.name)).count == values.count else { throw node.error("has a name twice") }
      return Study.Axis(name: try block.string("axis"), values: values)
    }
  }

  private static func value(_ node: Node) throws -> Study.Value {
    try node.strictObject { block in
      let name = try block.string("name")
      guard name.allSatisfy({ $0.isLetter || $0.isNumber || "-_. :+".contains($0) }) else {
        throw node.error("\(shown(name)) has signs that no file name or table takes")
      }
      return Study.Value(
        name: name, about: try block.optionalString("about"), group: try block.optionalString("group"),
        changes: block.optional("set").map { [$0] } ?? [])
    }
  }
}
