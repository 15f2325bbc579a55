import Documents
import Foundation
import Quantities

extension ClaimFile: CatalogueEntry {
  package static let title = "claim file"
  package var aliases: [String] { [] }

  package static func read(path: String, name: String) throws -> ClaimFile {
    try parse(YAMLDocument.read(path: path), name: name)
  }

  package static func parse(_ document: Node, name: String?) throws -> ClaimFile {
    try document.strictObject { file in
      var plans: [String: ClaimPlan] = [:]
      if let node = file.optional("plans"), case .object(let pairs) = node.value {
        for (key, value) in pairs { plans[key] = try ClaimPlan(value, name: key, among: plans) }
      }
      let source = try file.string("source")
      return ClaimFile(
        name: try checkedName(file, name), paper: try file.string("paper"), notes: try file.optionalString("notes"),
        assumptions: try file.optionalArray("assumptions").map { try ClaimAssumption($0) },
        claims: try file.required("claims").array().map { try claim($0, source: source, plans) })
    }
  }

  private static func claim(_ node: Node, source: String, _ plans: [String: ClaimPlan]) throws -> Claim {
    try node.strictObject { block in
      let claim = Claim(
        id: try block.string("id"), system: try block.string("system"),
        source: try block.optionalString("source") ?? source,
        conditions: try block.choice("modelable", Claim.Conditions.self),
        assumptions: try block.optionalArray("assumptions").map { try ClaimAssumption($0) },
        figures: try block.optionalArray("figures").map { try figure($0, plans) },
        unpredicted: try block.optionalString("unpredicted"), miss: try block.optionalString("miss"))
      guard claim.figures.isEmpty != (claim.unpredicted == nil) else {
        throw node.error("needs either 'figures' or 'unpredicted', the reason why there are none")
      }
      return claim
    }
  }

  private static func figure(_ node: Node, _ plans: [String: ClaimPlan]) throws -> Figure {
    try node.strictObject { block in
      func plan(_ key: String) throws -> ClaimPlan? {
        guard let value = block.optional(key) else { return nil }
        if case .string = value.value { return try ClaimPlan.find(value, among: plans) }
        return try ClaimPlan(value, name: key, among: plans)
      }
      let metric = try block.choice("metric", ClaimMetric.self)
      let form = try block.optionalChoice("as", Figure.Form.self) ?? .value
      guard let own = try plan("plan") else { throw node.error("'plan' is missing") }
      let baseline = try plan("over")
      guard (form == .value) == (baseline == nil) else {
        throw node.error(form == .value ? "'over' needs 'as'" : "'as: \(form.rawValue)' needs 'over', the baseline")
      }
      return Figure(
        metric: metric, published: try published(block, metric, form), form: form, plan: own, baseline: baseline,
        divisor: try block.optionalDouble("per", in: 1e-9...1e12) ?? 1, variants: try block.optionalArray("each"),
        taking: try block.optionalChoice("take", Figure.Taking.self) ?? .max,
        label: try block.optionalString("label") ?? "")
    }
  }

  /// A number, for quantities with its unit, or a range of either; `at_least` where the source says "more than".
  private static func published(
    _ block: ObjectReader, _ metric: ClaimMetric, _ form: Figure.Form
  ) throws -> Published {
    func number(_ node: Node) throws -> Double {
      guard !form.isRatio else { return try node.double(in: -1e30...1e30) }
      switch metric.style {
      case .time: return try node.quantity(TimeDimension.self).value
      case .size: return try node.quantity(SizeDimension.self).value
      case .power: return try node.quantity(PowerDimension.self).value
      case .energy: return try node.quantity(EnergyDimension.self).value
      case .computeRate: return try node.quantity(ComputeRateDimension.self).value
      default: return try node.double(in: -1e30...1e30)
      }
    }
    if let least = block.optional("at_least") {
      let value = try number(least)
      return Published(low: value, high: value, isLeast: true)
    }
    let node = try block.required("published")
    if case .array(let ends) = node.value {
      guard ends.count == 2 else { throw node.error("has \(ends.count) ends, expected two: from and to") }
      let (low, high) = (try number(ends[0]), try number(ends[1]))
      guard low <= high else { throw node.error("runs from \(low) down to \(high)") }
      return Published(low: low, high: high, isLeast: false)
    }
    let value = try number(node)
    return Published(low: value, high: value, isLeast: false)
  }
}
