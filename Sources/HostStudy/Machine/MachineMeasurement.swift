import CKernels
import Dispatch
import Foundation
import Quantities
import ReferenceEngine
import Statistics

/// What this machine reaches on kernels that do one thing: arithmetic in registers, reading, starting threads.
package struct MachineMeasurement: Sendable {
  package struct Peak: Sendable {
    package let format: NumberFormat
    package let threads: Int
    package let rate: FLOPsPerSecond
  }

  package struct Bandwidth: Sendable {
    package let threads: Int
    package let workingSet: Bytes
    package let rate: BytesPerSecond
  }

  package struct Latency: Sendable {
    package let workingSet: Bytes
    package let time: Seconds
  }

  package struct Launch: Sendable {
    package let threads: Int
    package let time: Seconds
  }

  package internal(set) var peaks: [Peak] = []
  package internal(set) var bandwidths: [Bandwidth] = []
  package internal(set) var latencies: [Latency] = []
  /// What starting work on all threads costs.
  package internal(set) var launches: [Launch] = []
  /// Median distance of repeats from their median, as a share of it: of arithmetic and of reading memory.
  package internal(set) var computeNoise = 0.0
  package internal(set) var memoryNoise = 0.0

  /// Repeats of each measurement.
  private static let repeats = 7
  /// Elements of the largest array read: 256 MB, beyond any cache of one processor here.
  private static let largest = 1 << 26

  /// Nothing measured yet.
  init() {}

  /// Measures everything, in some seconds.
  package init(threads: [Int]) throws {
    let instructions = InstructionSet.best
    for count in threads {
      for format in [NumberFormat.fp32, .int8] { measurePeak(format, threads: count, instructions) }
    }
    let array = FloatBuffer(count: Self.largest)
    for index in stride(from: 0, to: array.count, by: 64) { array.start[index] = 1 }
    for count in threads {
      let pool = try WorkerPool(threads: count)
      var elements = 1 << 12
      while elements <= array.count {
        measureReading(array, elements, pool)
        elements *= 2
      }
      launches.append(Launch(threads: count, time: Self.launch(pool)))
    }
    measureLatency()
  }

  package func peak(_ format: NumberFormat, threads: Int) -> FLOPsPerSecond {
    peaks.first { $0.format == format && $0.threads == threads }?.rate ?? .zero
  }

  /// Bandwidth of an array of about this size.
  package func bandwidth(of size: Bytes, threads: Int) -> BytesPerSecond {
    let own = bandwidths.filter { $0.threads == threads }
    return own.min { abs($0.workingSet.value - size.value) < abs($1.workingSet.value - size.value) }?.rate ?? .zero
  }

  /// Of arrays that no cache holds.
  package func memoryBandwidth(threads: Int) -> BytesPerSecond {
    bandwidth(of: Bytes(4 * Self.largest), threads: threads)
  }

  // MARK: Measuring

  /// The clock that other work disturbs least: this thread's own time, where it works alone.
  private static func clock(_ threads: Int) -> EngineClock { threads == 1 ? .thread : .wall }

  private static func times(_ clock: EngineClock, _ body: () -> Void) -> [Double] {
    body()
    return (0..<repeats).map { _ in
      let start = clock.now
      body()
      return clock.now - start
    }
  }

  private static func spread(_ times: [Double]) -> Double {
    let median = Quantile.median(times)
    return Quantile.median(times.map { abs($0 - median) }) / median
  }

  private mutating func measurePeak(_ format: NumberFormat, threads: Int, _ instructions: InstructionSet) {
    let operations = instructions.peakOperations(format)
    // About 20 ms at 100 GFLOP/s.
    let rounds = Int64(max(1, 2e9 / operations))
    let times = Self.times(Self.clock(threads)) {
      if threads == 1 {
        instructions.runPeak(format, rounds: rounds)
      } else {
        DispatchQueue.concurrentPerform(iterations: threads) { _ in instructions.runPeak(format, rounds: rounds) }
      }
    }
    let rate = FLOPsPerSecond(operations * Double(rounds) * Double(threads) / Quantile.median(times))
    peaks.append(Peak(format: format, threads: threads, rate: rate))
    if threads == 1, format == .fp32 { computeNoise = Self.spread(times) }
  }

  private mutating func measureReading(_ array: FloatBuffer, _ elements: Int, _ pool: WorkerPool) {
    let passes = max(1, (1 << 22) / elements)
    let times = Self.times(Self.clock(pool.threads)) {
      for _ in 0..<passes { pool.read(array, count: elements) }
    }
    let bytes = Double(4 * elements * passes)
    bandwidths.append(
      Bandwidth(
        threads: pool.threads, workingSet: Bytes(4 * elements), rate: BytesPerSecond(bytes / Quantile.median(times))))
    if pool.threads == 1, elements == array.count { memoryNoise = Self.spread(times) }
  }

  private static func launch(_ pool: WorkerPool) -> Seconds {
    let count = 2000
    let times = times(clock(pool.threads)) { for _ in 0..<count { pool.touch() } }
    return Seconds(Quantile.median(times) / Double(count))
  }

  /// Follows a random cycle through arrays of growing size, a cache line at a step.
  private mutating func measureLatency() {
    var lines = 1 << 8
    while lines <= 1 << 20 {
      let chain = PointerChain(lines: lines)
      let steps = 200_000
      let times = Self.times(.thread) { chain.follow(steps) }
      latencies.append(
        Latency(workingSet: Bytes(64 * lines), time: Seconds(Quantile.median(times) / Double(steps))))
      lines *= 4
    }
  }
}

/// A cycle through the cache lines of an array, in an order that no prefetcher guesses.
private final class PointerChain {
  private let cells: UnsafeMutablePointer<UInt32>

  init(lines: Int) {
    cells = .allocate(capacity: 16 * lines)
    var order = (1..<UInt32(lines)).map { $0 }
    var state: UInt64 = 88_172_645_463_325_252
    for index in order.indices.reversed() {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      order.swapAt(index, Int(state % UInt64(index + 1)))
    }
    var at: UInt32 = 0
    for line in order {
      cells[Int(at) * 16] = line * 16
      at = line
    }
    cells[Int(at) * 16] = 0
  }

  deinit { cells.deallocate() }

  func follow(_ steps: Int) { _ = rk_chase(cells, Int64(steps)) }
}
