import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Serving
import Techniques

/// Reads the keys that say how a replica is built, of a scenario or of one of its pools.
enum ReplicaReader {
  static func settings(_ block: ObjectReader) throws -> ReplicaSettings {
    var settings = ReplicaSettings()
    settings.hardware = try block.optional("hardware").map(Located.init)
    settings.runtime = try block.optional("runtime").map(Located.init)
    settings.plan = try block.optional("plan").map(Located.init)
    settings.formats = try block.optional("formats").map(formats) ?? FormatRequest()
    settings.parallelism = try block.optional("parallelism").map(parallelism)
    settings.techniques = try block.optional("techniques").map(techniques)
    settings.limits = try block.optional("limits").map(limits) ?? LimitSettings()
    settings.batching = try block.optional("batching").map(batching)
    try cache(block, &settings)
    try preemption(block, &settings)
    settings.adapters = try block.optional("adapters").map(adapters)
    settings.speculation = try block.optional("speculation").map(speculation)
    settings.scale = try block.optional("scale").map(HardwareScale.parse)
    settings.powerCap = try block.optionalQuantity("power_cap", PowerDimension.self)
    return settings
  }

  private static func formats(_ node: Node) throws -> FormatRequest {
    try node.strictObject { block in
      FormatRequest(
        weights: try block.optionalChoice("weights", NumberFormat.self),
        activations: try block.optionalChoice("activations", NumberFormat.self),
        kv: try block.optionalChoice("kv", NumberFormat.self))
    }
  }

  private static func parallelism(_ node: Node) throws -> Parallelism {
    try node.strictObject { block in
      func degree(_ key: String) throws -> Int { try block.optionalInt(key, in: 1...4096) ?? 1 }
      return Parallelism(
        tensor: try degree("tensor"), pipeline: try degree("pipeline"), expert: try degree("expert"),
        data: try degree("data"))
    }
  }

  /// Techniques as `name:parameter=value,...`, checked when read.
  private static func techniques(_ node: Node) throws -> [Located] {
    try node.array().map { item in
      let located = try Located(item)
      _ = try located.resolved { try Techniques.parse($0) }
      return located
    }
  }

  private static func limits(_ node: Node) throws -> LimitSettings {
    try node.strictObject { block in
      var limits = LimitSettings()
      limits.maxBatchedTokens = try block.optionalInt("max_num_batched_tokens", in: 1...10_000_000)
      limits.maxSequences = try block.optionalInt("max_num_seqs", in: 1...1_000_000)
      limits.microBatchSequences = try block.optionalInt("micro_batch_seqs", in: 1...1_000_000)
      limits.maxModelLength = try block.optionalInt("max_model_len", in: 2...1_000_000_000)
      limits.blocks = try block.optionalInt("num_kv_blocks", in: 1...1_000_000_000)
      limits.longPrefillThreshold = try block.optionalInt("long_prefill_threshold", in: 1...10_000_000)
      return limits
    }
  }

  /// A mix by name, or a table with its limits.
  private static func batching(_ node: Node) throws -> Batching {
    if case .string = node.value { return Batching(try node.choice(BatchingMix.self)) }
    return try node.strictObject { block in
      Batching(
        try block.choice("mix", BatchingMix.self), tokens: try block.optionalInt("tokens", in: 1...10_000_000),
        chunk: try block.optionalInt("chunk", in: 1...10_000_000),
        refill: try block.optionalDouble("refill", in: 0.01...1) ?? 1)
    }
  }

  /// `true`, `false`, or an order of eviction, which turns it on.
  private static func cache(_ block: ObjectReader, _ settings: inout ReplicaSettings) throws {
    guard let node = block.optional("prefix_cache") else { return }
    if case .bool(let isOn) = node.value {
      settings.prefixCache = isOn
    } else {
      settings.prefixCache = true
      settings.eviction = try node.choice(EvictionOrder.self)
    }
  }

  /// `recompute`, `swap`, or a table of the method and the host memory to swap to.
  private static func preemption(_ block: ObjectReader, _ settings: inout ReplicaSettings) throws {
    guard let node = block.optional("preemption") else { return }
    if case .string = node.value {
      settings.preemption = try node.choice(PreemptionMethod.self)
      return
    }
    try node.strictObject { table in
      let method = try table.choice("method", PreemptionMethod.self)
      settings.preemption = method
      settings.swap.space = try table.optionalQuantity("host_memory", SizeDimension.self)
      settings.swap.bandwidth = try table.optionalQuantity("bandwidth", BandwidthDimension.self)
      if method == .recompute, let key = ["host_memory", "bandwidth"].compactMap(table.optional).first {
        throw key.error("is for the method swap; recompute copies nothing")
      }
    }
  }

  private static func adapters(_ node: Node) throws -> AdapterSettings {
    try node.strictObject { block in
      AdapterSettings(
        slots: try block.int("slots", in: 1...100_000),
        loadTime: try block.quantity("load_time", TimeDimension.self, allowingZero: true))
    }
  }

  /// One acceptance for `depth` tokens, or one for each depth.
  private static func speculation(_ node: Node) throws -> SpeculationSettings {
    try node.strictObject { block in
      let shares = try block.required("acceptance")
      var acceptance: [Double]
      if case .array(let items) = shares.value {
        acceptance = try items.map { try $0.double(in: 0...1) }
        guard !acceptance.isEmpty else { throw shares.error("is empty, expected a share for each drafted token") }
        if let depth = block.optional("depth") { throw depth.error("does not go with a list of acceptances") }
      } else {
        acceptance = Array(repeating: try shares.double(in: 0...1), count: try block.int("depth", in: 1...64))
      }
      let depth = acceptance.count
      return SpeculationSettings(
        acceptance: acceptance, verified: try block.optionalInt("verified", in: depth...4096),
        batchLimit: try block.optionalInt("batch_limit", in: 1...1_000_000),
        draft: try block.optional("draft").map(Located.init))
    }
  }
}
