import Dispatch
import Foundation

/// Independent pieces of work on all cores.
package enum ParallelWork {
  /// Calls `work` for every index, as many at once as there are cores, and `finished` with each result, one at a time, in
  /// the order in which they are done.
  /// - Throws: The first error of either; work in progress is finished, nothing further is begun.
  package static func forEach<Value: Sendable>(
    _ count: Int, work: @Sendable (Int) throws -> Value, finished: (Int, Value) throws -> Void
  ) throws {
    let workers = min(count, max(1, ProcessInfo.processInfo.activeProcessorCount))
    let desk = Desk(count: count)
    withoutActuallyEscaping(finished) { finished in
      // Guarded by the desk's lock.
      nonisolated(unsafe) let finished = finished
      DispatchQueue.concurrentPerform(iterations: workers) { _ in
        while let index = desk.next() {
          do {
            let value = try work(index)
            try desk.locked { try finished(index, value) }
          } catch {
            desk.fail(error)
          }
        }
      }
    }
    if let error = desk.error { throw error }
  }

  /// The results by index.
  package static func map<Value: Sendable>(_ count: Int, work: @Sendable (Int) throws -> Value) throws -> [Value] {
    var results = [Value?](repeating: nil, count: count)
    try forEach(count, work: work) { results[$0] = $1 }
    return results.compactMap { $0 }
  }

  /// Hands out indices and remembers the first error.
  private final class Desk: @unchecked Sendable {
    private let lock = NSLock()
    private let count: Int
    private var handedOut = 0
    private(set) var error: (any Error)?

    init(count: Int) { self.count = count }

    func next() -> Int? {
      lock.withLock {
        guard error == nil, handedOut < count else { return nil }
        handedOut += 1
        return handedOut - 1
      }
    }

    func locked(_ body: () throws -> Void) throws { try lock.withLock(body) }

    func fail(_ error: any Error) { lock.withLock { self.error = self.error ?? error } }
  }
}
