import Documents
import Hardware
import ModelGraph
import Quantities

/// How a serving runtime behaves: what it keeps for itself, how it batches, whether it replays captured graphs.
///
/// What its steps cost on a device is calibration.
package struct RuntimeProfile: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String]
  package var notes: String?
  /// Share of a device's memory the runtime may fill.
  package var memoryFraction: Double
  /// What that share is of.
  package var memoryBasis = MemoryBasis.device
  /// Memory it and its libraries take besides: contexts, graphs, communication buffers.
  package var reservedMemory: Bytes
  /// What it takes besides that where devices share layers: buffers to exchange messages through.
  package var reservedForPeers: Bytes
  /// Tokens in one KV block.
  package var blockSize: Int
  /// Share of KV blocks kept free when a new request is admitted.
  package var watermark: Double
  package var maxBatchedTokens: Int
  package var maxSequences: Int
  package var batching: BatchingMix
  /// Prompt tokens of one request in a step at most; nothing for no such limit.
  package var longPrefillThreshold: Int?
  /// The order in which it serves, by the name of a scheduler; first come, first served unless a file says otherwise.
  package var scheduler: String?
  /// Whether prompts that begin alike share cache unless told otherwise.
  package var prefixCache: Bool
  package var eviction: EvictionOrder
  package var preemption: PreemptionMethod
  /// Slots that the model's context is divided between when it serves; nothing when sequences share the cache freely.
  package var contextSlots: Int?
  /// Whether decode steps replay a captured graph, so that launches cost nothing on the host.
  package var graphCapture: Bool
  /// Times the cache is read or written besides, because each step joins it anew with the latest token.
  package var cacheCopies = 0.0
  /// Whether prompts get logits for every token, which answers do not need.
  package var promptLogits = false
  /// How its library runs what serving engines fuse.
  package var kernels = LibraryKernels()
  /// Architectures whose attention the library runs as two products, whatever others have.
  package var eagerArchitectures: [String] = []
  /// Architectures whose checkpoints hold queries, keys and values as one matrix, so that one product makes them.
  package var joinedArchitectures: [String] = []
  /// Whether a step is put together while the one before runs, so that a request that arrives then waits for the next.
  package var schedulesAhead: Bool
  /// Whether a request enters only when the cache can hold its whole answer beside those of the running ones.
  package var reservesAnswers: Bool
  package var citations: [String: String]

  /// How the library runs a model.
  package func kernels(for model: Model) -> LibraryKernels {
    var own = kernels
    if own.attention == .sdpa, eagerArchitectures.contains(model.architecture) { own.attention = .eager }
    if joinedArchitectures.contains(model.architecture) { own.unfused.remove(.projections) }
    return own
  }

  /// Whether prompts are split to fit the token budget and mixed with decodes.
  package var chunkedPrefill: Bool { batching == .chunked }
}

/// What a runtime's share of memory is of: the whole device for weights, activations and cache together, or what these
/// leave free for the cache.
package enum MemoryBasis: String, CaseIterable, Sendable {
  case device, free
}

extension RuntimeProfile: CatalogueEntry {
  package static let title = "runtime"

  private static func kernels(_ file: ObjectReader) throws -> LibraryKernels {
    var kernels = LibraryKernels()
    kernels.attention = try file.optionalChoice("attention", AttentionKernel.self) ?? .paged
    kernels.unfused = Set(try file.optionalArray("unfused").map { try $0.choice(UnfusedPass.self) })
    return kernels
  }

  package static func read(path: String, name: String) throws -> RuntimeProfile {
    try YAMLDocument.read(path: path).strictObject { file in
      let sources = try SourceTable(file)
      try sources.cover(
        file,
        [
          "memory_fraction", "reserved_memory", "block_size", "watermark", "max_num_batched_tokens", "max_num_seqs",
          "batching", "long_prefill_threshold", "scheduler", "prefix_cache", "eviction", "preemption", "context_slots",
          "cache_copies", "prompt_logits", "attention", "eager_architectures",
          "joined_architectures",
          "unfused",
        ])
      return RuntimeProfile(
        name: try checkedName(file, name),
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        notes: try file.optionalString("notes"),
        memoryFraction: try file.double("memory_fraction", in: 0.05...1),
        memoryBasis: try file.optionalChoice("memory_fraction_of", MemoryBasis.self) ?? .device,
        reservedMemory: try file.quantity("reserved_memory", SizeDimension.self, allowingZero: true),
        reservedForPeers: try file.optionalQuantity("reserved_for_peers", SizeDimension.self, allowingZero: true)
          ?? .zero,
        blockSize: try file.int("block_size", in: 1...4096),
        watermark: try file.double("watermark", in: 0...0.5),
        maxBatchedTokens: try file.int("max_num_batched_tokens", in: 1...10_000_000),
        maxSequences: try file.int("max_num_seqs", in: 1...1_000_000),
        batching: try file.choice("batching", BatchingMix.self),
        longPrefillThreshold: try file.optionalInt("long_prefill_threshold", in: 1...10_000_000),
        scheduler: try file.optionalString("scheduler"),
        prefixCache: try file.optionalBool("prefix_cache") ?? false,
        eviction: try file.optionalChoice("eviction", EvictionOrder.self) ?? .lru,
        preemption: try file.optionalChoice("preemption", PreemptionMethod.self) ?? .recompute,
        contextSlots: try file.optionalInt("context_slots", in: 1...1_000_000),
        graphCapture: try file.required("graph_capture").bool(),
        cacheCopies: try file.optionalDouble("cache_copies", in: 0...10) ?? 0,
        promptLogits: try file.optionalBool("prompt_logits") ?? false,
        kernels: try kernels(file),
        eagerArchitectures: try file.optionalStrings("eager_architectures"),
        joinedArchitectures: try file.optionalStrings("joined_architectures"),
        schedulesAhead: try file.optionalBool("schedules_ahead") ?? false,
        reservesAnswers: try file.optionalBool("reserves_answers") ?? false,
        citations: sources.byField)
    }
  }
}
