import CostModels
import Quantities

/// What a replica does beyond the plainest serving.
package struct ReplicaOptions: Sendable {
  package typealias Preemption = PreemptionMethod

  package enum Role: String, CaseIterable, Sendable {
    /// Prompts and answers.
    case mixed
    /// Prompts only; their caches move to a decoding replica with the first token.
    case prefill
    /// Answers of prompts that were computed elsewhere.
    case decode
  }

  package var preemption = Preemption.recompute
  /// KV blocks that host memory takes.
  package var swapBlocks = 0
  /// Time to copy one KV block between device and host.
  package var swapTime = Seconds.zero
  /// Whether prompts that begin alike share cache.
  package var prefixCache = false
  package var eviction = Eviction.lru
  /// LoRA adapters on the device at once, and the time to load one.
  package var adapterSlots = 0
  package var adapterLoad = Seconds.zero
  package var role = Role.mixed
  package var speculation: Speculation?
  /// Whether the rate at which prompts are computed is measured, for admission by deadline.
  package var measuresPromptRate = false
  /// Whether decode steps in which nothing can change are taken at once. The results are the same, bit for bit.
  package var takesManySteps = true

  package init() {}
}
