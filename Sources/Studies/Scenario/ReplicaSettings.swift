import CostModels
import Execution
import ModelGraph
import Quantities
import Serving

/// How one replica is to be built. What is absent is inherited: a pool's from the scenario, the scenario's from the
/// runtime.
package struct ReplicaSettings: Sendable {
  package var hardware: Located?
  package var runtime: Located?
  /// Where tensors live and operators run.
  package var plan: Located?
  package var formats = FormatRequest()
  package var parallelism: Parallelism?
  /// Nothing to inherit them; none to have none.
  package var techniques: [Located]?
  package var limits = LimitSettings()
  package var batching: Batching?
  package var prefixCache: Bool?
  package var eviction: EvictionOrder?
  package var preemption: PreemptionMethod?
  package var swap = SwapSettings()
  package var adapters: AdapterSettings?
  package var speculation: SpeculationSettings?
  /// Board power of each device.
  package var powerCap: Watts?
  /// Factors on the hardware's numbers, for devices that do not exist.
  package var scale: HardwareScale?

  package init() {}

  /// These settings where they say something, others elsewhere.
  package func over(_ base: ReplicaSettings) -> ReplicaSettings {
    var merged = base
    merged.hardware = hardware ?? base.hardware
    merged.runtime = runtime ?? base.runtime
    merged.plan = plan ?? base.plan
    merged.formats = FormatRequest(
      weights: formats.weights ?? base.formats.weights,
      activations: formats.activations ?? base.formats.activations, kv: formats.kv ?? base.formats.kv)
    merged.parallelism = parallelism ?? base.parallelism
    merged.techniques = techniques ?? base.techniques
    merged.limits = limits.over(base.limits)
    merged.batching = batching ?? base.batching
    merged.prefixCache = prefixCache ?? base.prefixCache
    merged.eviction = eviction ?? base.eviction
    merged.preemption = preemption ?? base.preemption
    merged.swap = swap.over(base.swap)
    merged.adapters = adapters ?? base.adapters
    merged.speculation = speculation ?? base.speculation
    merged.powerCap = powerCap ?? base.powerCap
    merged.scale = scale ?? base.scale
    return merged
  }
}

/// Limits that replace the runtime's.
package struct LimitSettings: Sendable {
  package var maxBatchedTokens: Int?
  package var maxSequences: Int?
  /// Sequences in one micro-batch of a pipeline.
  package var microBatchSequences: Int?
  package var maxModelLength: Int?
  package var blocks: Int?
  /// Prompt tokens of one request in a step at most.
  package var longPrefillThreshold: Int?

  package init() {}

  func over(_ base: LimitSettings) -> LimitSettings {
    var merged = base
    merged.maxBatchedTokens = maxBatchedTokens ?? base.maxBatchedTokens
    merged.maxSequences = maxSequences ?? base.maxSequences
    merged.microBatchSequences = microBatchSequences ?? base.microBatchSequences
    merged.maxModelLength = maxModelLength ?? base.maxModelLength
    merged.blocks = blocks ?? base.blocks
    merged.longPrefillThreshold = longPrefillThreshold ?? base.longPrefillThreshold
    return merged
  }

  /// A deployment's own limits with these in their place.
  func limits(of deployment: Deployment, draft: Deployment?) -> ServingLimits {
    var limits = ServingLimits(deployment, sequences: maxSequences, draft: draft)
    if let maxSequences { limits.maxSequences = maxSequences }
    if let maxBatchedTokens { limits.maxBatchedTokens = maxBatchedTokens }
    limits.microBatchSequences = microBatchSequences
    if let maxModelLength { limits.maxModelLength = maxModelLength }
    if let blocks { limits.blocks = blocks }
    return limits
  }
}

/// Host memory that caches of preempted requests are copied to.
package struct SwapSettings: Sendable {
  /// Of each device; 4 GiB when nothing is said, as vLLM's `--swap-space`.
  package var space: Bytes?
  /// Between each device and host memory, one way; the device's host link when nothing is said.
  package var bandwidth: BytesPerSecond?

  package static let standardSpace = Bytes(4 * 1_073_741_824)

  package init() {}

  func over(_ base: SwapSettings) -> SwapSettings {
    var merged = base
    merged.space = space ?? base.space
    merged.bandwidth = bandwidth ?? base.bandwidth
    return merged
  }
}

/// LoRA adapters on the device at once, and the time to load one.
package struct AdapterSettings: Sendable {
  package var slots: Int
  package var loadTime: Seconds

  package init(slots: Int, loadTime: Seconds) {
    self.slots = slots
    self.loadTime = loadTime
  }
}

/// Speculative decoding; how often drafts agree is the model's behaviour, and an input.
package struct SpeculationSettings: Sendable {
  package var acceptance: [Double]
  /// Tokens verified in a step for each sequence; the depth when nothing is said.
  package var verified: Int?
  package var batchLimit: Int?
  /// The draft model; nothing for drafts that cost no device time.
  package var draft: Located?
}
