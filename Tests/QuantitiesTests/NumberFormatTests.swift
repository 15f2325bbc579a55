import Testing

@testable import Quantities

@Suite struct NumberFormatTests {
  private static let bits: [(name: String, bits: Double)] = [
    ("fp64", 64), ("fp32", 32), ("tf32", 32), ("bf16", 16), ("fp16", 16), ("fp8", 8), ("fp6", 6), ("fp4", 4),
    ("int32", 32), ("int16", 16), ("int8", 8), ("int4", 4), ("int1", 1), ("int4-g128", 4.125), ("mxfp8", 8.25),
    ("mxfp4", 4.25), ("nvfp4", 4.5), ("q8_0", 8.5), ("q4_0", 4.5), ("q4_1", 5),
  ]

  @Test func `every format is in this table`() {
    #expect(NumberFormat.allCases.map(\.rawValue).sorted() == Self.bits.map(\.name).sorted())
  }

  @Test(arguments: bits) func `bits count the scales of a block`(format: (name: String, bits: Double)) throws {
    #expect(try #require(NumberFormat(rawValue: format.name)).bits == format.bits)
  }

  @Test func `a billion weights take bits over eight gigabytes`() {
    #expect(NumberFormat.bf16.size(of: 1e9) == Bytes(2e9))
    #expect(NumberFormat.int4Group128.size(of: 128) == Bytes(66))
    #expect(NumberFormat.q4Zero.size(of: 32) == Bytes(18))
    #expect(NumberFormat.mxfp4.size(of: 32) == Bytes(17))
  }

  @Test(arguments: NumberFormat.allCases)
  func `the arithmetic format is final, no wider, and of the same kind`(format: NumberFormat) {
    #expect(format.arithmetic.arithmetic == format.arithmetic)
    #expect(format.arithmetic.bits <= format.bits)
    #expect(format.arithmetic.isInteger == format.isInteger)
  }
}
