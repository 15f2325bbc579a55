import Execution

/// When a replica's current step began and ends.
///
/// Step times are whole picoseconds, the simulated clock whole nanoseconds: what is left over is carried from step to
/// step while the replica is busy, so that many steps taken at once end at the same nanosecond as one by one.
struct ReplicaClock {
  /// Decode steps taken at once, with the sequences in them.
  struct Span {
    var steps: Int
    var sequences: Int
    /// Tokens that the first step attends to.
    var context: Int64
    /// The times of the first steps, as many as grow evenly.
    var times: StepTimes
  }

  private(set) var start: Int64 = 0
  private(set) var end: Int64 = 0
  /// Picoseconds beyond ``start``, below 1000.
  private var carry: Int64 = 0
  private(set) var picoseconds: Int64 = 0
  private(set) var nanojoules: Int64 = 0
  private(set) var isBusy = false
  /// Whether the step in progress decodes.
  private(set) var isDecoding = false
  /// Nothing when the step is not one of decodes alone.
  private(set) var span: Span?

  /// The most a span can take before the clock ends.
  var isBeyondClock: Bool { end < start }

  mutating func begin(now: Int64, _ cost: StepTable.Cost, decodes: Bool, span: Span? = nil) {
    if now != end { carry = 0 }
    start = now
    isBusy = true
    isDecoding = decodes
    self.span = span
    set(picoseconds: cost.picoseconds, nanojoules: cost.nanojoules)
  }

  /// The span is to have fewer steps.
  mutating func shorten(to part: DecodeSpan) {
    span?.steps = part.steps
    set(picoseconds: part.picoseconds, nanojoules: part.nanojoules)
  }

  private mutating func set(picoseconds: Int64, nanojoules: Int64) {
    self.picoseconds = picoseconds
    self.nanojoules = nanojoules
    let (sum, overflow) = start.addingReportingOverflow((carry + picoseconds) / 1000)
    end = overflow ? -1 : sum
  }

  /// When so much of the step or span has passed.
  func time(after picoseconds: Int64) -> Int64 { start + (carry + picoseconds) / 1000 }

  /// Picoseconds of the span that must have passed for its end to be at or after a time.
  func picoseconds(until time: Int64) -> Int64 { max(1, (time - start) * 1000 - carry) }

  /// When the last of the steps that have ended began, given how long it took.
  func start(ofLast picoseconds: Int64) -> Int64 { (end * 1000 + carry - picoseconds) / 1000 }

  /// What of the step has passed at a time, its energy in proportion.
  func part(until time: Int64) -> StepTable.Cost {
    guard time > start, picoseconds > 0 else { return StepTable.Cost(picoseconds: 0, nanojoules: 0) }
    let passed = min(picoseconds, self.picoseconds(until: time))
    return StepTable.Cost(
      picoseconds: passed, nanojoules: Int64(Int128(nanojoules) * Int128(passed) / Int128(picoseconds)))
  }
  /// Picoseconds of the step or span that have passed at a time.
  func picosecondsPassed(at time: Int64) -> Int64 { (time - start) * 1000 - carry }

  mutating func finish() {
    carry = (carry + picoseconds) % 1000
    isBusy = false
  }
}
