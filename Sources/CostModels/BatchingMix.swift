/// How the steps of a serving runtime are composed of prompts and decodes.
package enum BatchingMix: String, Sendable, CaseIterable {
  /// Decodes and prompts share a step; prompts are cut to the token budget.
  case chunked
  /// Decodes and whole prompts share a step.
  case mixed
  /// A step is all prompts while any can be admitted, all decodes otherwise.
  case prefillFirst = "prefill-first"
  /// A batch is admitted when the one before has ended, and keeps its size until its longest answer ends.
  case `static`
}

/// How a request that loses its place gives up its cache.
package enum PreemptionMethod: String, CaseIterable, Sendable {
  /// Dropped, and computed again later, answer so far included.
  case recompute
  /// Copied to host memory, and back later; dropped when there is no room.
  case swap
}

/// Which unused prefix goes first when blocks are needed.
package enum EvictionOrder: String, CaseIterable, Sendable {
  /// The one used longest ago.
  case lru
  /// The one computed first.
  case fifo
  /// The one used least often; among equals, longest ago.
  case lfu
  /// The one with the most blocks; among equals, longest ago.
  case largest
}
