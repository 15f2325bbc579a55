import EventKernel
import Testing

/// One server with a queue, built on the kernel: what theory says must come out.
@Suite struct QueueingTheoryTests {
  private enum Event { case arrival, departure }

  private struct Outcome {
    var meanWait = 0.0
    var standardError = 0.0
    var meanInSystem = 0.0
    var arrivalRate = 0.0
    var meanTimeInSystem = 0.0
  }

  /// Serves customers in order; waiting times are averaged in batches, for a confidence interval.
  private func simulate(load: Double, customers: Int, service: (inout RandomStream) -> Double) throws -> Outcome {
    let mean = 1_000_000.0  // nanoseconds of service
    var arrivals = RandomStream(seed: 42, name: "arrivals")
    var services = RandomStream(seed: 42, name: "services")
    var queue = EventQueue<Event>()
    var waiting: [Instant] = []
    var head = 0
    var inService: Instant?
    var waits: [Double] = []
    var times = 0.0
    var area = 0.0
    var last = Instant.zero
    var present = 0
    func begin(_ arrived: Instant) {
      inService = arrived
      waits.append(Double(queue.now - arrived))
      queue.schedule(.departure, at: queue.now + Int64((service(&services) * mean).rounded()))
    }
    queue.schedule(.arrival, at: .zero)
    var arrived = 0
    while let event = queue.next() {
      area += Double(present) * Double(queue.now - last)
      last = queue.now
      switch event {
      case .arrival:
        arrived += 1
        present += 1
        if inService == nil { begin(queue.now) } else { waiting.append(queue.now) }
        if arrived < customers {
          queue.schedule(.arrival, at: queue.now + Int64((arrivals.exponential() * mean / load).rounded()))
        }
      case .departure:
        present -= 1
        times += Double(queue.now - (try #require(inService)))
        inService = nil
        if head < waiting.count {
          head += 1
          begin(waiting[head - 1])
        }
      }
    }
    let batches = 20
    let size = waits.count / batches
    let means = (0..<batches).map { waits[$0 * size..<($0 + 1) * size].reduce(0, +) / Double(size) / mean }
    let overall = means.reduce(0, +) / Double(batches)
    let variance = means.map { ($0 - overall) * ($0 - overall) }.reduce(0, +) / Double(batches - 1)
    return Outcome(
      meanWait: overall, standardError: (variance / Double(batches)).squareRoot(),
      meanInSystem: area / Double(last.nanoseconds), arrivalRate: Double(customers) / Double(last.nanoseconds),
      meanTimeInSystem: times / Double(customers))
  }

  @Test(arguments: [0.3, 0.7])
  func `waiting in M/M/1 is load over 1 - load services`(load: Double) throws {
    let outcome = try simulate(load: load, customers: 60_000) { $0.exponential() }
    #expect(abs(outcome.meanWait - load / (1 - load)) < 3.5 * outcome.standardError)
    #expect(outcome.standardError < 0.05 * load / (1 - load))
  }

  @Test(arguments: [0.3, 0.7])
  func `waiting in M/D/1 is half of that`(load: Double) throws {
    let outcome = try simulate(load: load, customers: 60_000) { _ in 1 }
    #expect(abs(outcome.meanWait - load / (1 - load) / 2) < 3.5 * outcome.standardError)
    #expect(outcome.standardError < 0.05 * load / (1 - load))
  }

  @Test func `the number in the system is the arrival rate times the time in it`() throws {
    let outcome = try simulate(load: 0.8, customers: 20_000) { $0.exponential() }
    let little = outcome.arrivalRate * outcome.meanTimeInSystem
    #expect(abs(outcome.meanInSystem - little) < 1e-9 * little)
  }
}
