import DequeModule
import EventKernel
import Execution

/// The stages of a pipelined replica and the micro-batches on their way through them.
///
/// A replica looks at one micro-batch at a time, the others are parked here. A request joins the micro-batch that is
/// formed when it is admitted and stays in it, so that it is in one at a time. Those that are not on their way take turns
/// at the first stage, in a ring. All share the replica's cache.
final class Pipeline {
  var costs: StagedCosts
  /// The others; at the place of the one at hand, an empty one.
  var parked: [MicroBatch]
  var current = 0
  /// Micro-batches on their way, first come first.
  private(set) var flight: Deque<Int> = []
  /// Whose turn it is at the first stage.
  private var turn = 0
  /// One that waits for blocks; until it has them, nobody is admitted elsewhere.
  var short: Int?
  private(set) var clock: StageClock
  /// Up to when the time of micro-batches has been counted, and what has not been booked of it: the time, and the requests
  /// that ran in it.
  private var counted: Int128 = 0
  private var span: Int128 = 0
  private var area: Int128 = 0
  /// By slot, its micro-batch, and its place in the order of admission.
  private let batches: FixedArray<Int>
  private let admissions: FixedArray<Int>
  private var admitted = 0
  private var prices: [StepTable.Cost] = []
  /// Energy and time since heat was settled, and when that was.
  private(set) var unsettled = (nanojoules: Int64(0), picoseconds: Int128(0), since: Int64(0))

  init(_ costs: StagedCosts, capacity: Int, empty: () -> MicroBatch, batch: () -> MicroBatch) {
    self.costs = costs
    clock = StageClock(stages: costs.stages)
    parked = [empty()] + (1..<costs.stages).map { _ in batch() }
    batches = FixedArray(repeating: 0, count: capacity)
    admissions = FixedArray(repeating: 0, count: capacity)
  }

  var count: Int { parked.count }

  // MARK: Members

  /// A slot is taken in the micro-batch at hand.
  func seat(_ slot: Int) {
    batches[slot] = current
    admissions[slot] = admitted
    admitted += 1
  }

  func batch(of slot: Int) -> Int { batches[slot] }
  func admission(of slot: Int) -> Int { admissions[slot] }

  /// Requests in all micro-batches, given those in the one at hand.
  func running(beside own: Int) -> Int { parked.reduce(own) { $0 + $1.order.count } }

  func isOnItsWay(_ index: Int) -> Bool { flight.contains(index) }

  // MARK: Turns

  /// When the first stage is free, in nanoseconds.
  var firstFree: Int64 { Int64(clock.stages[0] / 1000) }

  /// The micro-batches that are not on their way, in the order in which the first stage tries them.
  var turns: [Int] {
    let ring = (0..<count).map { (turn + $0) % count }.filter { !isOnItsWay($0) }
    guard let short, let place = ring.firstIndex(of: short) else { return ring }
    return [short] + ring[..<place] + ring[(place + 1)...]
  }

  // MARK: The way

  /// Prices a step, and sends the micro-batch at hand on its way.
  /// - Parameter extra: What the first stage does beside it.
  /// - Returns: Its way, and what it draws, with the stages that wait for it.
  func send(
    _ price: (StagedCosts, inout [StepTable.Cost]) -> Int64, extra: StepTable.Cost, from time: Int128
  ) -> (passage: StageClock.Passage, nanojoules: Int64) {
    let hop = price(costs, &prices)
    prices[0].add(extra)
    let isAlone = flight.isEmpty
    let passage = clock.pass(prices, hop: hop, from: time, isAlone: isAlone)
    if isAlone { counted = passage.start }
    flight.append(current)
    turn = (current + 1) % count
    return (passage, prices.reduce(costs.waiting(picoseconds: passage.waiting)) { $0 + $1.nanojoules })
  }

  /// What a micro-batch that has ended adds to the replica's time, the stages' bubbles behind it, and what they draw.
  struct Landing {
    var span: Int128
    /// Requests that ran, times how long.
    var area: Int128
    var trailing: Int128
    var nanojoules: Int64
  }

  /// The number of running requests is about to change.
  func count(until time: Int128, running: Int) {
    guard !flight.isEmpty, time > counted else { return }
    span += time - counted
    area += (time - counted) * Int128(running)
    counted = time
  }

  /// The first micro-batch on its way has passed the last stage.
  func land(_ passage: StageClock.Passage, nanojoules: Int64, running: Int) -> Landing {
    count(until: passage.end, running: running)
    _ = flight.popFirst()
    let trailing = flight.isEmpty ? clock.trailing(passage.end) : 0
    let landing = Landing(
      span: span, area: area, trailing: trailing, nanojoules: costs.waiting(picoseconds: trailing))
    unsettled.nanojoules += nanojoules + landing.nanojoules
    unsettled.picoseconds += span
    (span, area) = (0, 0)
    return landing
  }

  /// All that was on its way is lost.
  /// - Returns: Time of the replica not booked yet.
  func breakOff(now: Int64, running: Int) -> Landing {
    count(until: Int128(now) * 1000, running: running)
    let landing = Landing(span: span, area: area, trailing: 0, nanojoules: 0)
    (span, area) = (0, 0)
    flight.removeAll()
    clock = StageClock(stages: count)
    turn = 0
    short = nil
    return landing
  }

  func settle(now: Int64) { unsettled = (0, 0, now) }
}
