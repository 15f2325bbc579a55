import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Techniques

/// What one side of a claim runs: a deployment with a batch, a step, one operator, or a whole scenario.
///
/// It keeps the text it was read from, so that variants can replace single settings.
package struct ClaimPlan: Sendable {
  package var name: String
  /// Settings by key; later ones replaced earlier ones.
  private(set) var settings: [(key: String, value: Node)]
  private let node: Node

  /// Reads a table, over the plan it is `like`.
  init(_ node: Node, name: String, among plans: [String: ClaimPlan]) throws {
    self.node = node
    self.name = name
    guard case .object(let pairs) = node.value else {
      throw node.error("found \(node.found), expected the name of a plan or a table of settings")
    }
    settings = []
    for (key, value) in pairs {
      guard Self.keys.contains(key) else {
        throw value.error("unknown key", nearest: nearestName(to: key, among: Self.keys))
      }
      guard key == "like" else {
        set(key, value)
        continue
      }
      settings = try Self.find(value, among: plans).settings
    }
  }

  static func find(_ node: Node, among plans: [String: ClaimPlan]) throws -> ClaimPlan {
    let name = try node.string()
    guard let plan = plans[name] else {
      throw node.error("names no plan of the file", nearest: nearestName(to: name, among: plans.keys.sorted()))
    }
    return plan
  }

  private mutating func set(_ key: String, _ value: Node) {
    if let index = settings.firstIndex(where: { $0.key == key }) {
      settings[index].value = value
    } else {
      settings.append((key, value))
    }
  }

  /// The plan with some settings replaced.
  func replacing(_ variant: Node) throws -> ClaimPlan {
    guard case .object(let pairs) = variant.value else { throw variant.error("expected a table of settings") }
    var plan = self
    for (key, value) in pairs {
      guard Self.keys.contains(key), key != "like" else {
        throw value.error("unknown key", nearest: nearestName(to: key, among: Self.keys))
      }
      plan.set(key, value)
    }
    return plan
  }

  static let keys = [
    "like", "model", "hardware", "runtime", "tp", "pp", "ep", "dp", "weights", "activations", "kv", "with",
    "expert_skew", "batch", "input", "output", "rounds", "step", "kernel", "scenario", "memory_fraction",
    "max_num_batched_tokens", "graph_capture", "attention", "unfused", "constants", "place",
  ]

  // MARK: Reading settings

  func optional(_ key: String) -> Node? { settings.first { $0.key == key && !$0.value.isNull }?.value }

  func required(_ key: String) throws -> Node {
    guard let value = optional(key) else { throw node.error("'\(key)' is missing") }
    return value
  }

  func error(_ problem: String) -> DataError { node.error(problem) }

  /// The deployment's parts by name.
  func request() throws -> Library.Request {
    func degree(_ key: String) throws -> Int { try optional(key)?.int(in: 1...4096) ?? 1 }
    var request = Library.Request(
      model: try optional("kernel") == nil ? required("model").string() : "",
      hardware: try required("hardware").string(), runtime: try required("runtime").string(),
      formats: FormatRequest(
        weights: try optional("weights")?.choice(NumberFormat.self),
        activations: try optional("activations")?.choice(NumberFormat.self),
        kv: try optional("kv")?.choice(NumberFormat.self)),
      parallelism: Parallelism(
        tensor: try degree("tp"), pipeline: try degree("pp"), expert: try degree("ep"), data: try degree("dp")),
      routing: try optional("expert_skew").map { .powerLaw(try $0.double(in: ExpertRouting.exponents)) } ?? .uniform,
      techniques: try optional("with")?.array().map { item in
        let text = try Located(item)
        return try text.resolved { try Techniques.parse($0) }
      } ?? [])
    request.attention = try optional("attention")?.choice(AttentionKernel.self)
    return request
  }

  func adjustments() throws -> Adjustments {
    var adjustments = Adjustments()
    adjustments.memoryFraction = try optional("memory_fraction")?.double(in: 0.05...1)
    adjustments.maxBatchedTokens = try optional("max_num_batched_tokens")?.int(in: 1...100_000_000)
    adjustments.graphCapture = try optional("graph_capture")?.bool()
    adjustments.unfused = try optional("unfused")?.array().reduce(into: Set()) {
      $0?.insert(try $1.choice(UnfusedPass.self))
    }
    guard let node = optional("constants") else { return adjustments }
    adjustments.constants = try node.strictObject { table in
      try ConstantKey.allCases.compactMap { key in
        guard let item = table.optional(key.name) else { return nil }
        return (
          key,
          key.kind == .time
            ? try item.quantity(TimeDimension.self, allowingZero: true).value : try item.double(in: key.range)
        )
      }
    }
    return adjustments
  }

  /// What the plan says in one line, for reports.
  package var text: String {
    settings.filter { $0.key != "scenario" }.map { "\($0.key) \(Self.shown($0.value))" }.joined(separator: ", ")
  }

  static func shown(_ node: Node) -> String {
    switch node.value {
    case .array(let items): items.map(shown).joined(separator: " + ")
    case .object(let pairs): pairs.map { "\($0.key) \(shown($0.value))" }.joined(separator: " ")
    case .string(let text): text
    default: node.found
    }
  }
}
