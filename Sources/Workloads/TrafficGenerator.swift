import Documents
import EventKernel

/// Makes up requests on the fly: the same traffic, seed and count give the same requests on every machine.
///
/// Every consumer draws from a stream of its own (`traffic.arrivals`, `traffic.input-tokens`, ...; of a class `chat`
/// `traffic.chat.input-tokens`), so that changing one leaves the others as they were; only with a rank correlation do
/// output lengths follow the inputs, through a Gaussian copula. Sessions count with all their requests towards the
/// number asked for, so that it does not depend on when they end; a session that breaks off leaves fewer.
///
/// Memory follows the live sessions, not the requests.
package struct TrafficGenerator: RequestSource {
  private let name: String
  private let requests: Int
  private let streams = PrefixForest()
  private var feeders: [TrafficFeeder] = []
  private var makers: [ClassGenerator]
  /// The feeder of each class.
  private var feederOfClass: [Int]
  /// Whether an ended request may bring forth another, or free a text.
  private let answersEnds: Bool
  /// Requests made up, and those to come of the sessions begun.
  private var planned = 0
  /// Requests that have not ended.
  private var live = 0
  private var isExhausted = false
  private var begunSessions: Int32 = 0
  /// Requests that arrive together with the latest one, in reverse.
  private var together: [Request] = []

  package let classes: [RequestClass]
  package let forest: PrefixForest?
  package var count: Int? { requests }

  /// - Parameter requests: How many to generate; the traffic's default when nothing.
  package init(_ traffic: Traffic, seed: UInt64, requests: Int? = nil) {
    name = traffic.name
    self.requests = requests ?? traffic.requests
    precondition(self.requests >= 0, "a number of requests is not negative")
    precondition(!traffic.branchesInClosedLoop, "one end brings forth one request, not several branches")
    classes = traffic.classes.map(\.about)
    let isSingle = traffic.classes.count == 1
    let forest = streams
    makers = traffic.classes.enumerated().map { index, item in
      ClassGenerator(
        item, index: index, forest: forest, seed: seed, name: isSingle ? "traffic." : "traffic.\(item.about.name).")
    }
    feederOfClass = Array(repeating: 0, count: traffic.classes.count)
    let hasTexts = traffic.classes.contains { $0.systemPrompts != nil || $0.questions != nil || $0.sessions != nil }
    self.forest = hasTexts ? streams : nil
    var feeders: [TrafficFeeder] = []
    if let common = traffic.arrivals {
      let shares = traffic.classes.enumerated().compactMap { index, item in
        if case .share(let share) = item.arrivals { (index: index, share: share) } else { nil }
      }
      feeders.append(
        TrafficFeeder(
          common, classes: shares.map(\.index), shares: shares.map(\.share), seed: seed, name: "traffic."))
    }
    for (index, item) in traffic.classes.enumerated() {
      guard case .own(let process) = item.arrivals else { continue }
      feederOfClass[index] = feeders.count
      let name = isSingle ? "traffic." : "traffic.\(item.about.name)."
      feeders.append(TrafficFeeder(process, classes: [index], shares: [1], seed: seed, name: name))
    }
    answersEnds = hasTexts || feeders.contains { $0.thinkTime != nil }
    self.feeders = feeders
  }

  /// - Throws: `DataError` when the arrivals reach the end of the clock, 292 years on.
  package mutating func next() throws -> Request? {
    if let request = together.popLast() { return request }
    guard planned < requests, let (feeder, arrival) = try nextArrival() else {
      isExhausted = true
      releaseIfDone()
      return nil
    }
    return begin(of: feeders[feeder].pick(), at: arrival)
  }

  /// The earliest arrival; the first feeder's where several are as early.
  private mutating func nextArrival() throws -> (feeder: Int, arrival: Instant)? {
    do throws(TrafficFeeder.End) {
      guard feeders.count > 1 else { return try feeders[0].take().map { (0, $0) } }
      var earliest: (feeder: Int, arrival: Instant)?
      for feeder in feeders.indices {
        guard let arrival = try feeders[feeder].peek() else { continue }
        if earliest.map({ arrival < $0.arrival }) ?? true { earliest = (feeder, arrival) }
      }
      if let earliest { _ = try feeders[earliest.feeder].take() }
      return earliest
    } catch {
      throw DataError(
        file: name, field: "arrivals",
        problem: "request \(planned + 1) arrives beyond 292 years, the clock's range; raise the rate")
    }
  }

  private mutating func begin(of item: Int, at arrival: Instant) -> Request {
    live += 1
    guard !makers[item].isPlain else {
      planned += 1
      return makers[item].plain(at: arrival)
    }
    let begun = makers[item].begin(
      ClassGenerator.Beginning(arrival: arrival, session: begunSessions, mostTurns: requests - planned))
    begunSessions += begun.numbers
    planned += begun.turns
    if !begun.others.isEmpty {
      live += begun.others.count
      together = begun.others.reversed()
    }
    return begun.first
  }

  package mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard answersEnds else { return nil }
    live -= 1
    let item = Int(request.classIndex)
    if let next = makers[item].next(after: request, endedAt: endedAt, completed: completed) {
      live += 1
      return next
    }
    let feeder = feederOfClass[item]
    if planned < requests, let arrival = feeders[feeder].comesBack(after: endedAt) {
      return begin(of: feeders[feeder].pick(), at: arrival)
    }
    releaseIfDone()
    return nil
  }

  private mutating func releaseIfDone() {
    guard isExhausted || planned >= requests, live == 0 else { return }
    for item in makers.indices { makers[item].release() }
  }
}
