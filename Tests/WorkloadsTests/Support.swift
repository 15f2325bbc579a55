import Documents
import EventKernel
import Testing

@testable import Workloads

/// Every request of a source.
func all(_ source: any RequestSource) throws -> [Request] {
  var source = source
  var requests: [Request] = []
  while let request = try source.next() { requests.append(request) }
  return requests
}

/// A request and when it ended.
struct Played {
  var request: Request
  var endedAt: Instant
}

/// Every request of a source whose answers each take so long, in order of arrival; what ends brings forth the next.
func played(
  _ source: any RequestSource, nanoseconds: Int64 = 1_000_000_000, completes: (Request) -> Bool = { _ in true }
) throws -> [Played] {
  enum Event {
    case offered(Request)
    case followed(Request)
    case ended(Request)
  }
  var source = source
  var queue = EventQueue<Event>()
  var played: [Played] = []
  func begin(_ request: Request) {
    played.append(Played(request: request, endedAt: queue.now + nanoseconds))
    queue.schedule(.ended(request), at: queue.now + nanoseconds)
  }
  if let first = try source.next() { queue.schedule(.offered(first), at: first.arrival) }
  while let event = queue.next() {
    switch event {
    case .offered(let request):
      begin(request)
      if let next = try source.next() { queue.schedule(.offered(next), at: next.arrival) }
    case .followed(let request): begin(request)
    case .ended(let request):
      let next = source.followUp(after: request, endedAt: queue.now, completed: completes(request))
      if let next { queue.schedule(.followed(next), at: next.arrival) }
    }
  }
  return played
}

/// Every request of a trace given as text.
func trace(_ text: String, timeScale: Double = 1, limit: Int? = nil) throws -> [Request] {
  try all(TraceReader.open(bytes: Array(text.utf8), file: "trace", timeScale: timeScale, limit: limit))
}

/// The one message a faulty input is refused with.
func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "accepted"
  } catch let error as DataError {
    return error.description
  } catch {
    return "unexpected \(type(of: error)): \(error)"
  }
}

func isSorted(_ requests: [Request]) -> Bool {
  zip(requests, requests.dropFirst()).allSatisfy { $0.arrival <= $1.arrival }
}
