import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Techniques

/// Reads platform scenarios, whose plans are named in a library.
package struct PlatformReader {
  private let library: Library

  package init(library: Library) { self.library = library }

  /// Folder of the shipped ones.
  package static func folder(_ library: Library) -> String { library.folder + "/Workloads/Scenarios/Platforms" }

  package func read(path: String, name: String) throws -> PlatformScenario {
    try YAMLDocument.read(path: path).strictObject { file in
      let sources = try SourceTable(file)
      var scenario = PlatformScenario(name: try checkedName(file, name), title: try file.string("title"), cases: [])
      scenario.aliases = try file.optionalStrings("aliases")
      scenario.notes = try file.optionalString("notes")
      let common = try settings(file, over: CaseSettings(), sources)
      let items = try file.required("cases").array()
      guard !items.isEmpty else { throw file.node.error("'cases' is empty, expected at least one") }
      scenario.cases = try items.map { try self.item($0, common, sources) }
      try check(scenario, items)
      return scenario
    }
  }

  /// What a file says for all its cases, and a case for itself.
  private struct CaseSettings {
    var model: Node?
    var hardware: Node?
    var runtime = "vllm-v1"
    var formats = FormatRequest()
    var parallelism = Parallelism()
    var routing = ExpertRouting.uniform
    var plan: PlacementPlan?
    var powerCap: Watts?
    var clock = 1.0
    var hostCore: HostCore?
    var attention: AttentionKernel?
    var techniques: [NamedChoice] = []
    var sequences: Int?
    var context: Int?
    var prefill: Int?
    var input: Int?
    var output: Int?
  }

  private func settings(_ block: ObjectReader, over base: CaseSettings, _ sources: SourceTable) throws -> CaseSettings {
    var settings = base
    settings.model = block.optional("model") ?? base.model
    settings.hardware = block.optional("hardware") ?? base.hardware
    settings.runtime = try block.optionalString("runtime") ?? base.runtime
    settings.formats = try block.optional("formats").map(formats) ?? base.formats
    settings.parallelism = try block.optional("parallelism").map(parallelism) ?? base.parallelism
    if let skew = try block.optionalDouble("expert_skew", in: ExpertRouting.exponents) {
      settings.routing = .powerLaw(skew)
    }
    settings.plan = try block.optional("plan").map { try plan($0, sources) } ?? base.plan
    settings.powerCap = try block.optionalQuantity("power_cap", PowerDimension.self) ?? base.powerCap
    settings.clock = try block.optionalDouble("clock", in: 0.05...2) ?? base.clock
    settings.hostCore = try block.optionalString("host_core").map { HostCore($0) } ?? base.hostCore
    settings.attention = try block.optionalChoice("attention", AttentionKernel.self) ?? base.attention
    if let node = block.optional("with") { settings.techniques = try techniques(node) }
    settings.sequences = try block.optionalInt("batch", in: BatchCase.sequenceRange) ?? base.sequences
    settings.context = try block.optionalInt("context", in: 0...100_000_000) ?? base.context
    settings.prefill = try block.optionalInt("prefill", in: BatchCase.tokenRange) ?? base.prefill
    settings.input = try block.optionalInt("input", in: BatchCase.tokenRange) ?? base.input
    settings.output = try block.optionalInt("output", in: BatchCase.tokenRange) ?? base.output
    return settings
  }

  private func item(
    _ node: Node, _ common: CaseSettings, _ sources: SourceTable
  ) throws -> PlatformScenario.Case {
    try node.strictObject { block in
      let own = try settings(block, over: common, sources)
      guard let model = own.model, let hardware = own.hardware else {
        throw node.error("'\(own.model == nil ? "model" : "hardware")' is missing, here and at the top of the file")
      }
      var request = Library.Request(
        model: try model.string(), hardware: try hardware.string(), runtime: own.runtime, formats: own.formats,
        parallelism: own.parallelism, routing: own.routing, techniques: own.techniques)
      request.hostCore = own.hostCore
      request.plan = own.plan
      request.attention = own.attention
      request.powerCap = own.powerCap
      request.clock = own.clock
      return PlatformScenario.Case(
        name: try block.string("name"), request: request, sequences: own.sequences ?? 1, work: try work(own, node),
        published: try block.optionalArray("published").map { try published($0, sources) },
        note: try block.optionalString("note"))
    }
  }

  private func work(_ settings: CaseSettings, _ node: Node) throws -> PlatformScenario.Work {
    switch (settings.input, settings.output, settings.prefill, settings.context) {
    case (let input?, let output?, _, _): return .batch(input: input, output: output)
    case (_, _, let tokens?, let context): return .prefill(tokens: tokens, context: context ?? 0)
    case (_, _, nil, let context?) where context > 0: return .decode(context: context)
    default: throw node.error("says no work, expected 'context', 'prefill', or 'input' and 'output'")
    }
  }

  /// A plan by name, or a table of what is changed about the plan it is `like`.
  private func plan(_ node: Node, _ sources: SourceTable) throws -> PlacementPlan {
    if case .string(let name) = node.value {
      do { return try library.plans.find(name) } catch let error as UnknownName { throw node.error(error.description) }
    }
    let base = try node.object().optionalString("like") ?? "resident"
    let found: PlacementPlan
    do { found = try library.plans.find(base) } catch let error as UnknownName { throw node.error(error.description) }
    return try found.overridden(by: node, sources: sources)
  }

  private func published(_ node: Node, _ sources: SourceTable) throws -> PlatformScenario.Published {
    try node.strictObject { block in
      let figure = try block.choice("figure", PlatformScenario.Figure.self)
      try sources.cover(block, ["value"])
      let key = try block.optionalString("source")
      let other = try block.optionalString(figure == .exposedShare ? "of" : "to")
      guard !figure.needsOther || other != nil else {
        throw node.error("'to' is missing, the case that it is compared with")
      }
      return PlatformScenario.Published(
        figure: figure, value: try value(block, figure), other: other,
        source: key.flatMap { _ in sources.byField["\(node.path).value"] } ?? "")
    }
  }

  private func value(_ block: ObjectReader, _ figure: PlatformScenario.Figure) throws -> Double? {
    if figure.isTime { return try block.optionalQuantity("value", TimeDimension.self)?.value }
    if figure == .mainMemory { return try block.optionalQuantity("value", SizeDimension.self)?.value }
    return try block.optionalDouble("value")
  }

  private func techniques(_ node: Node) throws -> [NamedChoice] {
    try node.array().map { item in
      do { return try Techniques.parse(item.string()) } catch let error as DataError { throw error } catch {
        throw item.error("\(error)")
      }
    }
  }

  private func formats(_ node: Node) throws -> FormatRequest {
    try node.strictObject { block in
      FormatRequest(
        weights: try block.optionalChoice("weights", NumberFormat.self),
        activations: try block.optionalChoice("activations", NumberFormat.self),
        kv: try block.optionalChoice("kv", NumberFormat.self))
    }
  }

  private func parallelism(_ node: Node) throws -> Parallelism {
    try node.strictObject { block in
      func degree(_ key: String) throws -> Int { try block.optionalInt(key, in: 1...4096) ?? 1 }
      return Parallelism(
        tensor: try degree("tensor"), pipeline: try degree("pipeline"), expert: try degree("expert"),
        data: try degree("data"))
    }
  }

  /// Names are unlike, and ratios are to cases of the file.
  private func check(_ scenario: PlatformScenario, _ items: [Node]) throws {
    let names = scenario.cases.map(\.name)
    for (index, item) in scenario.cases.enumerated() {
      guard names.firstIndex(of: item.name) == index else {
        throw items[index].error("has the name \(shown(item.name)) of an earlier case")
      }
      for figure in item.published where figure.figure.needsOther {
        guard let other = figure.other, !names.contains(other) else { continue }
        throw items[index].error(
          "compares with \(shown(other)), which is no case of this file", nearest: nearestName(to: other, among: names))
      }
    }
  }
}
