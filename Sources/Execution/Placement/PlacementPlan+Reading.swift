import Documents
import Quantities

extension PlacementPlan: CatalogueEntry {
  package static let title = "plan"

  package static func read(path: String, name: String) throws -> PlacementPlan {
    try parse(YAMLDocument.read(path: path), name: name)
  }

  /// Reads a plan file.
  /// - Throws: ``DataError`` for keys that are not known and numbers without a source.
  package static func parse(_ document: Node, name: String?) throws -> PlacementPlan {
    try document.strictObject { file in
      let sources = try SourceTable(file)
      let name = try checkedName(file, name)
      var plan = PlacementPlan(name: name, title: try file.string("title"))
      plan.aliases = try file.optionalStrings("aliases")
      plan.notes = try file.optionalString("notes")
      return try PlanReader(sources: sources).plan(file, over: plan)
    }
  }

  /// The plan with what a table says in its place.
  package func overridden(by node: Node, sources: SourceTable?) throws -> PlacementPlan {
    try node.strictObject { block in
      _ = block.optional("like")
      _ = block.optional("source")
      return try PlanReader(sources: sources).plan(block, over: self)
    }
  }
}

/// Reads the blocks of a plan, each over what a plan says already.
private struct PlanReader {
  /// Where numbers must have their sources; nothing where the file around the plan has none.
  let sources: SourceTable?

  func plan(_ file: ObjectReader, over base: PlacementPlan) throws -> PlacementPlan {
    try sources?.cover(file, ["micro_batches"])
    var plan = base
    plan.weights = try block(file, "weights", base.weights, weights)
    plan.kv = try block(file, "kv", base.kv, cache)
    plan.attention = try block(file, "attention", base.attention) { block, base in
      var attention = base
      attention.at = try block.optionalString("at") ?? base.at
      return attention
    }
    plan.experts = try block(file, "experts", base.experts, experts)
    plan.copies = try block(file, "copies", base.copies, copies)
    if let node = file.optional("stages") {
      plan.stages = try node.array().map(stage)
      guard plan.stages.allSatisfy({ $0.layers == StageSearch.open }) || !StageSearch.isOpen(plan) else {
        throw node.error("gives some stages their layers and leaves others open; say 'auto' for all or for none")
      }
    }
    plan.microBatches = try file.optionalInt("micro_batches", in: 1...1024) ?? base.microBatches
    plan.client = try file.optionalString("client") ?? base.client
    plan.tables = try file.optionalString("tables") ?? base.tables
    plan.memory = try table(file, "memory", base.memory, limit)
    plan.workers = try table(file, "workers", base.workers) { try $0.int(in: 1...4096) }
    plan.cores = try file.optionalChoice("cores", CoreSplit.self) ?? base.cores
    plan.draft = try block(file, "draft", base.draft, draft)
    plan.without = try file.optional("without").map { try $0.array().map { try $0.string() } } ?? base.without
    plan.units = try table(file, "units", base.units) { try $0.int(in: 1...100_000) }
    return plan
  }

  private func block<Value>(
    _ file: ObjectReader, _ key: String, _ base: Value, _ read: (ObjectReader, Value) throws -> Value
  ) throws -> Value {
    guard let node = file.optional(key) else { return base }
    return try node.strictObject { block in
      _ = block.optional("source")
      return try read(block, base)
    }
  }

  private func table<Value>(
    _ file: ObjectReader, _ key: String, _ base: [String: Value], _ read: (Node) throws -> Value
  ) throws -> [String: Value] {
    guard let node = file.optional(key) else { return base }
    return try node.strictObject { block in
      var table = base
      let names = block.keys.filter { $0 != "source" }
      try sources?.cover(block, names)
      for name in names { table[name] = try read(block.required(name)) }
      _ = block.optional("source")
      return table
    }
  }

  // MARK: Blocks

  private func weights(_ block: ObjectReader, _ base: WeightPlacement) throws -> WeightPlacement {
    try sources?.cover(block, ["prefetch", "set_aside"])
    var weights = base
    weights.setAside = try block.optionalDouble("set_aside", in: 0...0.9) ?? base.setAside
    weights.home = try block.optionalString("home") ?? base.home
    weights.resident = try block.optional("resident").map(resident) ?? base.resident
    weights.onChip = try block.optional("on_chip").map(resident) ?? base.onChip
    weights.unit = try block.optionalChoice("unit", WeightPlacement.Unit.self) ?? base.unit
    weights.prefetch = try block.optionalInt("prefetch", in: 0...1024) ?? base.prefetch
    weights.reads = try block.optionalChoice("reads", WeightPlacement.Reads.self) ?? base.reads
    return weights
  }

  private func cache(_ block: ObjectReader, _ base: CachePlacement) throws -> CachePlacement {
    try sources?.cover(block, ["kept", "scored", "pages", "copies", "prefetch", "chunk", "heads"])
    var cache = base
    cache.home = try block.optionalString("home") ?? base.home
    cache.resident = try block.optionalDouble("resident", in: 0...1) ?? base.resident
    cache.unit = try block.optionalChoice("unit", CachePlacement.Unit.self) ?? base.unit
    cache.heads = try block.optionalInt("heads", in: 1...4096) ?? base.heads
    cache.chunk = try block.optionalInt("chunk", in: 1...100_000_000) ?? base.chunk
    cache.prefetch = try block.optionalInt("prefetch", in: 0...1024) ?? base.prefetch
    cache.kept = try block.optionalDouble("kept", in: 0.0001...1) ?? base.kept
    cache.scored = try block.optionalDouble("scored", in: 0...1) ?? base.scored
    cache.pages = try block.optionalDouble("pages", in: 0.0001...1) ?? base.pages
    cache.copies = try block.optionalDouble("copies", in: 1...4) ?? base.copies
    return cache
  }

  private func experts(_ block: ObjectReader, _ base: ExpertPlacement) throws -> ExpertPlacement {
    try sources?.cover(block, ["recall", "over_fetch", "hit_rate"])
    var experts = base
    experts.home = try block.optionalString("home") ?? base.home
    experts.resident = try block.optional("resident").map(resident) ?? base.resident
    experts.fetch = try block.optionalChoice("fetch", ExpertPlacement.Fetch.self) ?? base.fetch
    experts.recall = try block.optionalDouble("recall", in: 0...1) ?? base.recall
    experts.overFetch = try block.optionalDouble("over_fetch", in: 0...100) ?? base.overFetch
    experts.store = try block.optionalChoice("store", ExpertStore.Policy.self) ?? base.store
    experts.hitRate = try block.optionalDouble("hit_rate", in: 0...1) ?? base.hitRate
    return experts
  }

  private func copies(_ block: ObjectReader, _ base: CopyRates) throws -> CopyRates {
    try sources?.cover(block, ["host", "storage", "network", "start", "staging", "request", "queue_depth"])
    var copies = base
    copies.host = try block.optionalDouble("host", in: 0.001...1) ?? base.host
    copies.storage = try block.optionalDouble("storage", in: 0.001...1) ?? base.storage
    copies.network = try block.optionalDouble("network", in: 0.001...1) ?? base.network
    copies.start = try block.optionalQuantity("start", TimeDimension.self, allowingZero: true) ?? base.start
    copies.staging = try block.optional("staging").map(staging) ?? base.staging
    copies.request = try block.optionalQuantity("request", SizeDimension.self) ?? base.request
    copies.queueDepth = try block.optionalInt("queue_depth", in: 1...1_000_000) ?? base.queueDepth
    return copies
  }

  private func staging(_ node: Node) throws -> BytesPerSecond {
    let rate = try node.quantity(BandwidthDimension.self)
    guard rate >= BytesPerSecond(1e6) else { throw node.error("found \(rate), expected at least 1 MB/s of a core") }
    return rate
  }

  private func draft(_ block: ObjectReader, _ base: DraftPlacement) throws -> DraftPlacement {
    try sources?.cover(block, ["alone"])
    var draft = base
    draft.at = try block.optionalString("at") ?? base.at
    draft.alone = try block.optionalDouble("alone", in: 0...1) ?? base.alone
    return draft
  }

  private func stage(_ node: Node) throws -> Stage {
    try node.strictObject { block in
      _ = block.optional("source")
      return Stage(
        at: try block.string("at"), layers: try layers(block.required("layers")),
        store: try block.optionalString("store"))
    }
  }

  // MARK: Values

  /// A count, or `auto` for the search.
  private func layers(_ node: Node) throws -> Int {
    if case .string("auto") = node.value { return StageSearch.open }
    return try node.int(in: 1...100_000)
  }

  /// `auto`, or a share from 0 to 1.
  private func resident(_ node: Node) throws -> ResidentShare {
    if case .string("auto") = node.value { return .automatic }
    guard case .string = node.value else { return .share(try node.double(in: 0...1)) }
    throw node.error("found \(node.found), expected 'auto' or a share from 0 to 1")
  }

  /// A share from 0 to 1, or a size.
  private func limit(_ node: Node) throws -> MemoryLimit {
    if case .string = node.value { return .size(try node.quantity(SizeDimension.self)) }
    return .share(try node.double(in: 0.001...1))
  }
}
