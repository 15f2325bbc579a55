import Quantities

/// Why a deployment cannot serve at all.
package enum ServingError: Error, CustomStringConvertible, Sendable {
  case noCache(model: String, platform: String, missing: Bytes)
  case budget(sequences: Int, tokens: Int)
  case powerCap(Watts, standing: Watts, platform: String)
  case beyondClock

  package var description: String {
    switch self {
    case .noCache(let model, let platform, let missing):
      "\(model) leaves no room for a KV cache on \(platform): \(missing) are missing on each device; "
        + "try more tensor parallelism (--tp) or a narrower weight format (--weights)"
    case .powerCap(let cap, let standing, let platform):
      "power_cap \(cap) is not above the \(standing) that the devices of \(platform) draw while they wait"
    case .beyondClock: "a step would end beyond the simulated clock, 292 years after the start"
    case .budget(let sequences, let tokens):
      "max_num_seqs \(sequences) exceeds max_num_batched_tokens \(tokens): each sequence decodes one token a step"
    }
  }
}
