import EventKernel

/// Tokens of prompts that a replica has yet to compute, and how fast it computes them while there are any.
///
/// The rate is tokens over the time in which prompts waited or were in work, older ones forgotten exponentially.
struct PromptBacklog {
  /// Of requests that wait, and of prompts in work.
  private(set) var tokens = 0
  private let measuresRate: Bool
  /// How long ago counts a third as much as now: long against steps, short against changes of load.
  private static let memory = 10e9
  private var updated: Int64 = 0
  private var served = 0.0
  private var nanoseconds = 0.0

  init(measuresRate: Bool) { self.measuresRate = measuresRate }

  /// Prompt tokens a second; 0 while nothing has been computed.
  var rate: Double { nanoseconds > 0 ? served / nanoseconds * 1e9 : 0 }

  mutating func add(_ count: Int, now: Int64) {
    if tokens == 0 { updated = now }
    tokens += count
  }

  /// Tokens that need not be computed after all.
  mutating func drop(_ count: Int, now: Int64) {
    tokens -= count
    if measuresRate, tokens == 0 { advance(to: now) }
  }

  /// Tokens that a step has computed.
  mutating func serve(_ count: Int, now: Int64) {
    tokens -= count
    guard measuresRate else { return }
    advance(to: now)
    served += Double(count)
  }

  private mutating func advance(to now: Int64) {
    let passed = Double(now - updated)
    let kept = PortableMath.exp(-passed / Self.memory)
    served *= kept
    nanoseconds = nanoseconds * kept + passed
    updated = now
  }
}
