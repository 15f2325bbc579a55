import Quantities

/// Where a step's tensors live and where its operators run, and how what is elsewhere gets there in time.
///
/// A plan knows no system: places are roles (`main`, `host`, `storage`, `csd`) or names that a system must have. It
/// holds no speed-up; it changes which bytes cross which link, and which device does what.
///
/// Named plans are files of `Workloads/Plans`; `Documentation/plans.md` describes the keys.
package struct PlacementPlan: Sendable, Hashable {
  package var name: String
  package var title: String
  package var aliases: [String] = []
  package var notes: String?

  package var weights = WeightPlacement()
  package var kv = CachePlacement()
  package var attention = AttentionPlacement()
  package var experts = ExpertPlacement()
  package var copies = CopyRates()
  /// Layers on other places than `main`, in the order tokens pass them; empty when all layers are on `main`.
  package var stages: [Stage] = []
  /// Parts that a step's batch is cut into, so that places work at the same time.
  package var microBatches = 1
  /// Where prompts come from and tokens go to, when that is not the first stage: a node that is part of each round.
  package var client: String?
  /// Where tokens are looked up and sampled, when not on the first and the last stage: a client with table and head.
  package var tables: String?
  /// What may be filled of the memory of a place, by role or name.
  package var memory: [String: MemoryLimit] = [:]
  /// Devices used of a place; all of them unless said.
  package var units: [String: Int] = [:]
  /// Processes that work on a place of several processors; unless said, each processor finds what it needs in its own
  /// memory at no cost.
  package var workers: [String: Int] = [:]
  /// How work is dealt out over the cores of processors that have several classes of them.
  package var cores = CoreSplit.proportional
  /// Where a small model drafts, or answers by itself.
  package var draft = DraftPlacement()
  /// Places of stages that have failed; their layers are dealt out over the others.
  package var without: [String] = []

  package init(name: String, title: String) {
    self.name = name
    self.title = title
  }

  /// Everything on one device.
  package static let resident = PlacementPlan(name: "resident", title: "Everything on the main devices")
}

/// How a processor's cores share a product.
package enum CoreSplit: String, CaseIterable, Sendable {
  /// Each in proportion to its rate, so that all end together.
  case proportional
  /// Each as much as any other, so that all wait for the slowest.
  case even
}

/// Part of a memory: a share, or so many bytes of each device.
package enum MemoryLimit: Sendable, Hashable {
  case share(Double)
  case size(Bytes)
}

/// How much of a tensor stays on the place that uses it.
package enum ResidentShare: Sendable, Hashable {
  /// As much as fits.
  case automatic
  case share(Double)
}

/// Weights of the layers, experts apart where ``ExpertPlacement`` speaks of them.
package struct WeightPlacement: Sendable, Hashable {
  package enum Unit: String, CaseIterable, Sendable { case layer, `operator` }
  /// What happens on each step to weights that the home holds in a cache over a drive.
  package enum Reads: String, CaseIterable, Sendable {
    /// A fixed part stays, the rest is read anew.
    case pinned
    /// Least recently used pages make room: read in a circle, a file larger than memory is never found in it.
    case pageCache = "page-cache"
    /// Layers that have been used make room for those that are missing, which are read while other stages work.
    case ring
  }

  /// Where what is not resident lives; nothing when all is resident.
  package var home: String?
  package var resident = ResidentShare.share(1)
  package var unit = Unit.layer
  /// Units fetched ahead of the one in use; 0 fetches when needed.
  package var prefetch = 1
  package var reads = Reads.pinned
  /// Share of a memory that filling it with weights leaves free for cache.
  package var setAside = 0.1
  /// How much of them stays in the main devices' on-chip memory from step to step.
  package var onChip = ResidentShare.share(0)

  package init() {}
}

/// The KV cache.
package struct CachePlacement: Sendable, Hashable {
  package enum Unit: String, CaseIterable, Sendable { case layer, head, chunk }

  package var home: String?
  package var resident = 0.0
  package var unit = Unit.layer
  /// KV heads in a unit, and tokens in a chunk.
  package var heads = 1
  package var chunk = 8192
  package var prefetch = 1
  /// Share of the cached tokens that a decode step fetches or reads; 1 for exact attention.
  package var kept = 1.0
  /// Bytes read to choose them, as a share of the whole cache's bytes.
  package var scored = 0.0
  /// Share of a computational drive's flash pages that its first pass lets through, where it reads in two passes.
  package var pages: Double?
  /// Times the cache is stored (keys by token and by channel, for designs that read both ways).
  package var copies = 1.0

  package init() {}
}

/// Where attention over the cache runs in decode steps.
package struct AttentionPlacement: Sendable, Hashable {
  /// Nothing for where the layer is.
  package var at: String?

  package init() {}
}

/// The small model of a technique that drafts.
package struct DraftPlacement: Sendable, Hashable {
  /// Nothing for the devices of the large one.
  package var at: String?
  /// Share of the tokens that it answers with by itself, without asking the large one.
  package var alone = 0.0

  package init() {}
}

/// Experts of a mixture.
package struct ExpertPlacement: Sendable, Hashable {
  /// What is done about experts that are not resident.
  package enum Fetch: String, CaseIterable, Sendable {
    /// Fetched when the router has named them.
    case onDemand = "on-demand"
    /// All experts of the next layer, whatever the router will say.
    case all
    /// The layer before names them, so that they travel while it computes.
    case preGated = "pre-gated"
    /// A guess names some of them (recall) and others in vain (over-fetch).
    case predicted
    /// They stay where they are and are computed there.
    case there
    /// Computed where they are or fetched, whichever takes less time in each layer.
    case cheaper
  }

  package var home: String?
  package var resident = ResidentShare.share(1)
  package var fetch = Fetch.onDemand
  package var recall = 1.0
  package var overFetch = 0.0
  package var store = ExpertStore.Policy.spread
  /// Share of visits to resident experts, in place of what the store's policy gives.
  package var hitRate: Double?

  package init() {}
}

/// What copies reach of a link's rate, by what lies at their ends, and what one costs besides.
package struct CopyRates: Sendable, Hashable {
  /// Between memories of one node.
  package var host = 1.0
  /// From drives.
  package var storage = 1.0
  /// Between nodes.
  package var network = 1.0
  /// Start of each copy.
  package var start = Seconds.zero
  /// Bytes of each read that drives see at once; nothing for large sequential reads.
  package var request: Bytes?
  /// Rate at which a core copies what is not page-locked into buffers that are, before the link takes it; nothing for
  /// page-locked memory.
  package var staging: BytesPerSecond?
  /// Reads that a drive has before it at a time; nothing for as many as it can take.
  package var queueDepth: Int?

  package init() {}
}

/// Layers of a pipeline on one place.
package struct Stage: Sendable, Hashable {
  package var at: String
  package var layers: Int
  /// Where its weights come from when they exceed its memory; the plan's `weights.home` when nothing is said.
  package var store: String?

  package init(at: String, layers: Int, store: String? = nil) {
    self.at = at
    self.layers = layers
    self.store = store
  }
}
