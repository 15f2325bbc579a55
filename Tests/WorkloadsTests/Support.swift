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
