import CostModels
import Documents
import EventKernel
import Quantities
import Serving
import Workloads

/// Reads scenarios from YAML; `Workloads/README.md` describes the format.
package enum ScenarioFile {
  package static func read(path: String, name: String?) throws -> Scenario {
    try scenario(YAMLDocument.read(path: path), name: name)
  }

  package static func parse(_ text: String, file: String) throws -> Scenario {
    try scenario(YAMLDocument.parse(text, file: file), name: nil)
  }

  /// - Parameter name: The name it must have, or nothing.
  package static func scenario(_ document: Node, name: String?) throws -> Scenario {
    try document.strictObject { file in
      var scenario = Scenario(name: try checkedName(file, name), title: try file.string("title"))
      scenario.aliases = try file.optionalStrings("aliases")
      scenario.notes = try file.optionalString("notes")
      scenario.model = try file.optional("model").map(Located.init)
      scenario.replica = try ReplicaReader.settings(file)
      try policies(file, &scenario)
      try cluster(file, &scenario)
      scenario.traffic = try file.optional("traffic").map(TrafficReader.settings) ?? TrafficSettings()
      try horizon(file, &scenario)
      scenario.objective = try file.optional("objectives").map(objective) ?? ServiceObjective()
      scenario.warmUp = try file.optional("warm_up").map(warmUp) ?? .automatic
      scenario.seed = try file.optionalInt("seed", in: 0...Int.max)
      if let outputs = file.optional("outputs") {
        scenario.outputs.requests = try outputs.strictObject { try $0.optionalString("requests") }
      }
      scenario.document = document
      return scenario
    }
  }

  // MARK: Policies

  private static func policies(_ file: ObjectReader, _ scenario: inout Scenario) throws {
    scenario.scheduler = try policy(file, "scheduler") { _ = try Schedulers.make($0) }
    scenario.router = try policy(file, "router") { _ = try Routers.make($0, seed: 0) }
    scenario.decodeRouter = try policy(file, "decode_router") { _ = try Routers.make($0, seed: 0) }
    scenario.admission = try policy(file, "admission") { _ = try Admissions.make($0) }
    scenario.signalAge = try file.optionalQuantity("signal_age", TimeDimension.self, allowingZero: true)
  }

  /// A policy as `name:parameter=value,...`, or as a table of its name and parameters; checked when read.
  static func policy(
    _ block: ObjectReader, _ key: String, check: (String) throws -> Void
  ) throws -> Located? {
    guard let node = block.optional(key) else { return nil }
    let located: Located
    if case .object(let pairs) = node.value {
      let table = try node.object()
      let parameters = try pairs.filter { $0.key != "name" }.map { "\($0.key)=\(try parameter($0.value))" }
      let name = try table.string("name")
      located = Located(parameters.isEmpty ? name : name + ":" + parameters.joined(separator: ","), at: node)
    } else {
      located = try Located(node)
    }
    try located.resolved(check)
    return located
  }

  private static func parameter(_ node: Node) throws -> String {
    switch node.value {
    case .int, .double, .bool: return node.found
    default:
      let text = try node.string()
      return text.contains { ",\" ()=".contains($0) } ? "\"\(text)\"" : text
    }
  }

  // MARK: Cluster

  private static func cluster(_ file: ObjectReader, _ scenario: inout Scenario) throws {
    scenario.replicas = try file.optionalInt("replicas", in: 1...100_000)
    scenario.pools = try file.optionalArray("pools").map(PoolReader.pool)
    if !scenario.pools.isEmpty, let count = file.optional("replicas") {
      throw count.error("does not go with 'pools', which count their own replicas")
    }
    var names: Set<String> = []
    for (pool, node) in zip(scenario.pools, try file.optionalArray("pools"))
    where !names.insert(pool.name).inserted {
      throw node.error("has the name \(shown(pool.name)) of an earlier pool")
    }
    scenario.transfers = try file.optional("transfers").map(PoolReader.transfers)
    scenario.flipping = try file.optional("flipping").map(PoolReader.flipping)
  }

  // MARK: Judgement

  private static func horizon(_ file: ObjectReader, _ scenario: inout Scenario) throws {
    guard let node = file.optional("horizon") else { return }
    try node.strictObject { block in
      scenario.traffic.until = try block.optionalQuantity("time", TimeDimension.self)
      scenario.traffic.requests = try block.optionalInt("requests", in: 1...1_000_000_000)
      guard scenario.traffic.until != nil || scenario.traffic.requests != nil else {
        throw node.error("says nothing, expected 'time' or 'requests'")
      }
    }
  }

  private static func objective(_ node: Node) throws -> ServiceObjective {
    try node.strictObject { block in
      ServiceObjective(
        timeToFirstToken: try block.optionalQuantity("ttft", TimeDimension.self),
        timePerOutputToken: try block.optionalQuantity("tpot", TimeDimension.self),
        endToEnd: try block.optionalQuantity("e2e", TimeDimension.self))
    }
  }

  private static func warmUp(_ node: Node) throws -> WarmUpSettings {
    if case .string("automatic") = node.value { return .automatic }
    return try node.strictObject { block in
      let requests = try block.optionalInt("requests", in: 0...1_000_000_000)
      let time = try block.optionalQuantity("time", TimeDimension.self, allowingZero: true)
      switch (requests, time) {
      case (let requests?, nil): return .requests(requests)
      case (nil, let time?): return .time(time)
      default: throw node.error("expected either 'requests' or 'time', or the text automatic")
      }
    }
  }
}

extension Scenario: CatalogueEntry {
  package static let title = "scenario"

  package static func read(path: String, name: String) throws -> Scenario {
    try ScenarioFile.read(path: path, name: name)
  }
}
