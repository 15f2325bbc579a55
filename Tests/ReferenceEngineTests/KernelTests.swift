import CKernels
import EventKernel
import Testing

@testable import ReferenceEngine

/// Kernels against plain arithmetic in f64.
@Suite struct KernelTests {
  private static let sets = InstructionSet.allCases.filter(\.isSupported)
  private static let cases = sets.flatMap { set in WeightFormat.allCases.map { (set, $0) } }

  private func random(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    rk_random(seed, scale, Int64(count), &values)
    return values
  }

  @Test(arguments: cases)
  func `a product is that of the weights held, for any number of rows`(
    instructions: InstructionSet, format: WeightFormat
  ) throws {
    let (columns, inner) = (53, 96)
    let matrix = PackedMatrix(format, columns: columns, inner: inner)
    let rows = random(columns * inner, seed: 3, scale: 0.2)
    matrix.fill(
      WeightRows(count: columns) { index, body in
        rows.withUnsafeBytes { body(.f32, $0.baseAddress! + 4 * index * inner) }
      })
    let held = (0..<columns).map { column -> [Float] in
      var values = [Float](repeating: 0, count: inner)
      matrix.column(column, into: &values)
      return values
    }
    let pool = try WorkerPool(instructions: instructions)
    for count in [1, 2, 3, 7, 8, 12, 13, 30] {
      let x = random(count * inner, seed: UInt64(count))
      var y = [Float](repeating: .nan, count: count * columns)
      var weights = matrix.matrix
      let scratch = FloatBuffer(count: rk_matmul_scratch(&weights, Int64(count)) / 4 + 1)
      rk_matmul(pool.pool, &weights, x, Int64(inner), Int64(count), &y, Int64(columns), scratch.start)
      // Activations in 8 bits are off by half of 1/127 of the largest, 96 times, at random.
      let tolerance = format.isInteger ? 0.02 : 1e-5
      for row in 0..<count {
        for column in 0..<columns {
          let exact = (0..<inner).reduce(0.0) { $0 + Double(x[row * inner + $1]) * Double(held[column][$1]) }
          #expect(abs(Double(y[row * columns + column]) - exact) < tolerance)
        }
      }
    }
  }

  @Test(arguments: WeightFormat.allCases)
  func `rows survive packing, and rounding is within the format's step`(format: WeightFormat) {
    let inner = 64
    let values = random(inner, seed: 11)
    let matrix = PackedMatrix(format, columns: 1, inner: inner)
    matrix.fill(WeightRows(count: 1) { _, body in values.withUnsafeBytes { body(.f32, $0.baseAddress!) } })
    var held = [Float](repeating: 0, count: inner)
    matrix.column(0, into: &held)
    let step: Float =
      switch format {
      case .f32: 0
      case .bf16: 1.0 / 256
      case .int8, .q8Zero: 1.0 / 127
      case .q4Zero: 1.0 / 7
      case .q4One: 2.0 / 15
      }
    // Half a step, and the rounding of scales to f16; a Q4_0 block's far end is clipped by up to a step.
    let allowed = (format == .q4Zero ? 1.01 : 0.51) * step + 1e-9
    for (a, b) in zip(values, held) { #expect(abs(a - b) <= allowed) }
  }

  @Test func `half precision goes there and back for every number`() {
    for bits in 0...UInt16.max where bits & 0x7C00 != 0x7C00 {
      var stored = bits.littleEndian
      var value: Float = 0
      rk_decode_row(Int32(RK_F16), &stored, 1, &value)
      #expect(value == Float(Float16(bitPattern: bits)))
      var again: UInt16 = 0
      rk_encode_row(Int32(RK_F16), &value, 1, &again)
      #expect(again == bits)
    }
    var stream = RandomStream(seed: 1, name: "halves")
    for _ in 0..<2000 {
      var value = Float(bitPattern: UInt32(truncatingIfNeeded: stream.bits()))
      guard value.isFinite else { continue }
      var half: UInt16 = 0
      rk_encode_row(Int32(RK_F16), &value, 1, &half)
      #expect(half == Float16(value).bitPattern)
    }
  }

  @Test(arguments: sets)
  func `gated activations are silu times up`(instructions: InstructionSet) throws {
    let pool = try WorkerPool(instructions: instructions)
    let x: [Float] = (0..<64).map { Float($0 - 32) * 3.1 } + random(64, seed: 2)
    var y = [Float](repeating: .nan, count: 64)
    rk_swiglu(pool.pool, x, 1, 64, &y)
    for index in 0..<64 {
      let gate = Double(x[index])
      let exact = gate / (1 + PortableMath.exp(-gate)) * Double(x[64 + index])
      #expect(abs(Double(y[index]) - exact) <= 1e-5 * max(1, abs(exact)))
    }
  }

  @Test(arguments: sets)
  func `norms add, scale and weigh`(instructions: InstructionSet) throws {
    let pool = try WorkerPool(instructions: instructions)
    var stream = random(2 * 32, seed: 4)
    let (delta, weight) = (random(2 * 32, seed: 5), random(32, seed: 6))
    let sums = zip(stream, delta).map { Double($0 + $1) }
    var out = [Float](repeating: .nan, count: 64)
    rk_add_norm(pool.pool, &stream, delta, weight, 1e-5, 2, 32, &out)
    for row in 0..<2 {
      let part = sums[row * 32..<row * 32 + 32]
      let rms = (part.reduce(0) { $0 + $1 * $1 } / 32 + 1e-5).squareRoot()
      for index in 0..<32 {
        #expect(abs(Double(out[row * 32 + index]) - part[row * 32 + index] / rms * Double(weight[index])) < 1e-5)
        #expect(Double(stream[row * 32 + index]) == part[row * 32 + index])
      }
    }
  }

  @Test func `routing keeps the largest, and their weights add up to one`() {
    let logits: [Float] = [0.5, 2, -1, 2, 3, 3, 3, 3]
    var (choice, weight) = ([Int32](repeating: -1, count: 4), [Float](repeating: 0, count: 4))
    rk_route(logits, 2, 4, 2, &choice, &weight)
    #expect(choice == [1, 3, 0, 1])
    #expect(weight == [0.5, 0.5, 0.5, 0.5])
  }

  @Test func `greedy takes the first of the largest, and seeded draws repeat and follow their weights`() {
    var logits: [Float] = [0, 1, 3, 3, 2]
    logits.withUnsafeMutableBufferPointer { row in
      var greedy = Sampler.greedy
      #expect(greedy.next(row) == 2)
      var (one, two) = (Sampler(temperature: 1, seed: 5), Sampler(temperature: 1, seed: 5))
      let draws = (0..<4000).map { _ in one.next(row) }
      #expect(draws == (0..<4000).map { _ in two.next(row) })
      let total = [0.0, 1, 3, 3, 2].reduce(0) { $0 + PortableMath.exp($1) }
      for token in 0..<5 {
        let share = Double(draws.count { $0 == token }) / 4000
        let expected = PortableMath.exp(Double(row[token])) / total
        #expect(abs(share - expected) < 4 * (expected * (1 - expected) / 4000).squareRoot())
      }
      var narrow = Sampler(temperature: 1, top: 2, seed: 1)
      #expect(Set((0..<200).map { _ in narrow.next(row) }) == [2, 3])
      var nucleus = Sampler(temperature: 1, mass: 0.9, seed: 1)
      #expect(Set((0..<500).map { _ in nucleus.next(row) }) == [2, 3, 4])
    }
  }
}
