import CKernels
import Quantities

/// Instruction sets that kernels are built for.
package enum InstructionSet: String, CaseIterable, Sendable {
  case portable, neon, avx2, avx512

  var code: Int32 {
    switch self {
    case .portable: Int32(RK_PORTABLE)
    case .neon: Int32(RK_NEON)
    case .avx2: Int32(RK_AVX2)
    case .avx512: Int32(RK_AVX512)
    }
  }

  /// Whether this processor has it.
  package var isSupported: Bool { rk_supported(code) != 0 }

  /// Rows that a tile of its float products and of its attention takes at once.
  package var tileRows: Int { Int(rk_tile_rows(code)) }

  /// The best that this processor has.
  package static var best: InstructionSet { allCases.last { $0.isSupported } ?? .portable }
}

/// Threads that run kernels; the caller's own is one of them.
package final class WorkerPool {
  let pool: OpaquePointer
  package let threads: Int
  package let instructions: InstructionSet

  /// - Throws: ``EngineError`` when threads cannot be started or the processor lacks the instructions.
  package init(threads: Int = 1, instructions: InstructionSet = .best) throws(EngineError) {
    guard let pool = rk_pool_create(Int32(clamping: threads), instructions.code) else {
      throw instructions.isSupported ? .threads(threads) : .instructions(instructions)
    }
    self.pool = pool
    self.threads = threads
    self.instructions = instructions
  }

  deinit { rk_pool_destroy(pool) }

  /// Starts an empty task on every thread.
  package func touch() { rk_pool_touch(pool) }
}

/// Why the engine cannot do what it was asked.
package enum EngineError: Error, CustomStringConvertible, Sendable {
  case threads(Int)
  case instructions(InstructionSet)
  case outOfBlocks(needed: Int, free: Int)
  case contextTooLong(tokens: Int, limit: Int)
  case token(Int32, vocabulary: Int)
  case emptyChunk

  package var description: String {
    switch self {
    case .threads(let count): "\(count) threads cannot be started; ask for 1 to a few times the cores of this machine"
    case .instructions(let set): "this processor has no \(set.rawValue) instructions"
    case .outOfBlocks(let needed, let free):
      "\(needed) more blocks of cache are needed and \(free) are free; give the cache more blocks"
    case .contextTooLong(let tokens, let limit): "\(tokens) tokens exceed the model's \(limit) positions"
    case .token(let token, let vocabulary): "token \(token) is not one of the model's \(vocabulary)"
    case .emptyChunk: "a sequence of the step has no tokens"
    }
  }
}

// MARK: What the machine can do

extension InstructionSet {
  /// Operations of one round of ``runPeak(_:rounds:)``.
  package func peakOperations(_ format: NumberFormat) -> Double { rk_peak_operations(code, peakCode(format)) }

  /// Multiplies and adds in registers; integers in blocks of 32 whose sums are scaled in f32.
  package func runPeak(_ format: NumberFormat, rounds: Int64) { _ = rk_peak(code, peakCode(format), rounds) }

  private func peakCode(_ format: NumberFormat) -> Int32 { Int32(format.isInteger ? RK_INT8 : RK_F32) }
}

extension WorkerPool {
  /// Reads numbers once.
  package func read(_ array: FloatBuffer, count: Int) { _ = rk_read(pool, array.start, Int64(min(count, array.count))) }
}
