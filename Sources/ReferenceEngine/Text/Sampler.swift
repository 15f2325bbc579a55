import CKernels
import EventKernel

/// Chooses the next token from logits.
package struct Sampler {
  /// Nothing for greedy.
  private let temperature: Float?
  private let top: Int
  private let mass: Float
  private var stream: RandomStream

  /// The likeliest token, the first of equals.
  package static let greedy = Sampler()

  private init() {
    temperature = nil
    top = 1
    mass = 1
    stream = RandomStream(seed: 0, name: "sampler")
  }

  /// Draws with the same seed give the same tokens.
  /// - Parameters:
  ///   - top: Only so many of the likeliest tokens; 0 for all.
  ///   - mass: Only the likeliest tokens that together have this probability.
  package init(temperature: Float, top: Int = 0, mass: Float = 1, seed: UInt64) {
    self.temperature = temperature > 0 ? temperature : nil
    self.top = top
    self.mass = mass
    stream = RandomStream(seed: seed, name: "sampler")
  }

  package mutating func next(_ logits: UnsafeMutableBufferPointer<Float>) -> Int32 {
    guard let temperature, let base = logits.baseAddress else {
      return Int32(rk_argmax(logits.baseAddress, Int64(logits.count)))
    }
    let highest = base[Int(rk_argmax(base, Int64(logits.count)))]
    var candidates = logits.indices.map {
      (token: Int32($0), weight: PortableMath.exp(Double((logits[$0] - highest) / temperature)))
    }
    candidates.sort { ($0.weight, $1.token) > ($1.weight, $0.token) }
    if top > 0 { candidates.removeLast(max(0, candidates.count - top)) }
    return draw(candidates)
  }

  private mutating func draw(_ candidates: [(token: Int32, weight: Double)]) -> Int32 {
    let total = candidates.reduce(0) { $0 + $1.weight }
    var kept = 0.0
    let count = candidates.firstIndex {
      kept += $0.weight
      return kept >= Double(mass) * total
    }
    let nucleus = candidates.prefix((count ?? candidates.count - 1) + 1)
    var left = stream.uniform() * nucleus.reduce(0) { $0 + $1.weight }
    for candidate in nucleus {
      left -= candidate.weight
      if left < 0 { return candidate.token }
    }
    return nucleus.last?.token ?? 0
  }
}
