import EventKernel

/// One arrival process and the classes that divide its arrivals.
struct TrafficFeeder {
  private var arrivals: ArrivalGenerator
  private let classes: [Int]
  /// Sums of the classes' shares, the last one 1.
  private let shares: [Double]
  private var classStream: RandomStream
  private var thinkStream: RandomStream
  let thinkTime: DurationDistribution?
  /// The next arrival, when it is known already.
  private var waiting: Instant?

  /// - Parameter name: What its random streams begin with.
  init(_ process: ArrivalProcess, classes: [Int], shares: [Double], seed: UInt64, name: String) {
    arrivals = ArrivalGenerator(process, seed: seed, name: name + "arrivals")
    classStream = RandomStream(seed: seed, name: name + "classes")
    thinkStream = RandomStream(seed: seed, name: name + "think-time")
    thinkTime = process.closedLoop?.thinkTime
    self.classes = classes
    let total = shares.reduce(0, +)
    var sum = 0.0
    self.shares = shares.map { share in
      sum += share
      return sum / total
    }
  }

  enum End: Error {
    case beyondClock
  }

  /// The next arrival, which stays the next until it is taken; nothing after the last.
  mutating func peek() throws(End) -> Instant? {
    if let waiting { return waiting }
    waiting = try draw()
    return waiting
  }

  /// Takes the next arrival.
  mutating func take() throws(End) -> Instant? {
    guard let taken = waiting else { return try draw() }
    waiting = nil
    return taken
  }

  private mutating func draw() throws(End) -> Instant? {
    let next = arrivals.next()
    guard next != nil || arrivals.isExhausted else { throw .beyondClock }
    return next
  }

  /// The class of an arrival.
  mutating func pick() -> Int {
    guard classes.count > 1 else { return classes[0] }
    let u = classStream.uniform()
    return classes[shares.firstIndex { u < $0 } ?? classes.count - 1]
  }

  /// When a user who got an answer asks again; nothing where users do not come back.
  mutating func comesBack(after end: Instant) -> Instant? {
    guard let thinkTime else { return nil }
    return end.adding(thinkTime.draw(&thinkStream))
  }
}
