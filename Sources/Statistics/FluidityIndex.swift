/// Which share of a reader's token deadlines a request missed.
///
/// The first token is due after one time, every further one a fixed time after the token before; tokens that come early
/// leave slack for later ones. A late token misses every deadline that passes until it comes, and the clock starts anew
/// at it. After A. Agrawal et al., "Etalon: Holistic Performance Evaluation Framework for LLM Inference Systems", 2024, in
/// its deadline form. Times are whole nanoseconds and all arithmetic is exact.
package struct FluidityIndex: Sendable {
  package struct Deadlines: Sendable, Equatable {
    /// Nanoseconds from arrival to the first token.
    package var first: Int64
    /// Nanoseconds between tokens; positive.
    package var between: Int64

    package init(first: Int64 = 100_000_000, between: Int64 = 50_000_000) {
      precondition(first >= 0 && between > 0, "deadlines are positive")
      self.first = first
      self.between = between
    }
  }

  package let deadlines: Deadlines
  /// Deadlines that passed without their token.
  package private(set) var missed: Int64 = 0
  /// All deadlines up to the last token.
  package private(set) var total: Int64 = 0
  private var slack: Int64 = 0
  private var begun = false

  package init(_ deadlines: Deadlines = Deadlines()) { self.deadlines = deadlines }

  /// The index of a request whose first token is not judged.
  package init(between: Int64) {
    deadlines = Deadlines(first: 0, between: between)
    begun = true
  }

  /// The share of deadlines missed; nothing for a request without tokens.
  package var missRate: Double? { total > 0 ? Double(missed) / Double(total) : nil }

  /// The share of deadlines met; nothing for a request without tokens.
  package var index: Double? { missRate.map { 1 - $0 } }

  /// Takes in the next token, so many nanoseconds after the one before, or after arrival.
  package mutating func add(gap: Int64) {
    let due = begun ? deadlines.between : deadlines.first
    if gap - slack <= due {
      save(due - gap, times: 1)
      total += 1
    } else {
      let first = begun ? 0 : 1 + (gap - slack - due) / deadlines.between
      miss(begun ? (gap - slack) / deadlines.between : first)
    }
    begun = true
  }

  /// Takes in several tokens with equal gaps, as if one after another.
  /// - Complexity: O(1).
  package mutating func add(gap: Int64, count: Int) {
    guard count > 0 else { return }
    var left = Int64(count)
    if !begun {
      add(gap: gap)
      left -= 1
    }
    let excess = gap - deadlines.between
    // While slack lasts, each late token uses up its excess; without excess it lasts for ever.
    let met = excess <= 0 ? left : min(left, slack / excess)
    save(-excess, times: met)
    total += met
    left -= met
    guard left > 0 else { return }
    add(gap: gap)
    miss((left - 1) * (gap / deadlines.between))
  }

  /// Slack has an end, 73 years, so that no deadline overflows it.
  private mutating func save(_ time: Int64, times: Int64) {
    let (product, overflow) = time.multipliedReportingOverflow(by: times)
    slack = min(Int64.max / 4, slack + min(Int64.max / 4, overflow ? Int64.max : product))
  }

  private mutating func miss(_ deadlines: Int64) {
    missed += deadlines
    total += deadlines
    slack = 0
  }
}
