import Foundation

/// What each operator did: how often, how much arithmetic, how many bytes, how long.
package struct WorkMeter: Sendable {
  /// Counts of one operator.
  package struct Entry: Sendable, Equatable {
    package var calls = 0
    /// Floating-point or integer operations, two a multiply-accumulate.
    package var flops = 0.0
    /// Bytes of weights read, and of keys and values read and written.
    package var weightBytes = 0.0
    package var cacheBytes = 0.0
    /// Bytes of activations read and written, in the format in which the operator takes them.
    package var activationBytes = 0.0
    package var seconds = 0.0
  }

  package private(set) var entries = [Entry](repeating: Entry(), count: EngineOperator.allCases.count)
  package init() {}

  package subscript(kind: EngineOperator) -> Entry { entries[kind.index] }

  /// Operators that ran, in the order of a step.
  package var used: [(kind: EngineOperator, entry: Entry)] {
    EngineOperator.allCases.compactMap { self[$0].calls > 0 ? ($0, self[$0]) : nil }
  }

  package mutating func reset() { entries = Array(repeating: Entry(), count: entries.count) }

  /// Adds one call to an operator's counts.
  mutating func add(_ kind: EngineOperator, _ work: Entry, seconds: Double) {
    let index = kind.index
    entries[index].calls += 1
    entries[index].flops += work.flops
    entries[index].weightBytes += work.weightBytes
    entries[index].cacheBytes += work.cacheBytes
    entries[index].activationBytes += work.activationBytes
    entries[index].seconds += seconds
  }
}

/// What times are read from.
package enum EngineClock: Sendable {
  /// Takes some 25 ns to read: what a thread ran takes twenty times as long, more than small operators do.
  case wall
  /// The time this thread ran, whatever else the machine did: for one thread.
  case thread

  /// Seconds since some moment.
  package var now: Double {
    var time = timespec()
    clock_gettime(self == .wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
