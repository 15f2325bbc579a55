@testable import CostModels
import Documents
@testable import ModelGraph
import Quantities
import TestSupport
import Testing

/// Measured times of kernels against hand arithmetic.
@Suite struct KernelTableTests {
  private static let text = """
    name: host
    title: A host
    applies_to: {class: simd-cpu}
    date: 2026-01-02
    data: none
    method: none
    error: none
    valid: none
    constants: {launch: 0 s}
    kernels:
      products:
        - {weights: bf16, start: 3 us, input: 2 ns, output: 1 ns, times: [
            {rows: 1, weight: 100 ps}, {rows: 5, weight: 300 ps}, {rows: 10, weight: 900 ps}]}
      rows:
        - {operator: norm, times: [{bytes: 1 kB, time: 1 us}, {bytes: 100 kB, time: 10 us}]}
      attention_decode: {start: 1 us, pair: 2 us, read: 3 ns, load: 1 ns, flop: 2 ns}
      attention_prefill: {tile_rows: 12, start: 5 us, tile: 1 us, flop: 1 ns}
    """

  private func table() throws -> KernelTable {
    try #require(try Calibration.parse(YAMLDocument.parse(Self.text, file: "host"), name: "host").constants.kernels)
  }

  private func work(
    _ kind: OperatorKind, flops: Double = 0, name: String = "work", _ traffic: ModelGraph.Traffic
  ) -> Operator {
    Operator(name: name, kind: kind, count: 1, flops: FLOPs(flops), traffic: traffic, compute: .fp32)
  }

  private func gemm(rows: Int, bytesPerWeight: Double = 2) -> Operator {
    work(
      .gemm(GEMMShape(rows: rows, columns: 200, inner: 50)), name: "gemm",
      ModelGraph.Traffic(weights: Bytes(bytesPerWeight * 10_000)))
  }

  @Test(arguments: [(1, 1e-10), (3, 2e-10), (10, 9e-10), (20, 18e-10)])
  func `a product takes a time for each weight by its rows, for what goes in and comes out, and a start`(
    rows: Int, weight: Double
  ) throws {
    let expected = 3e-6 + 10_000 * weight + Double(rows) * (50 * 2e-9 + 200 * 1e-9)
    #expect(near(try #require(try table().seconds(gemm(rows: rows))), expected, within: 1e-9))
  }

  @Test func `what the table does not hold is left to the roofline`() throws {
    let table = try table()
    #expect(table.seconds(gemm(rows: 1, bytesPerWeight: 4)) == nil)
    #expect(table.seconds(work(.elementwise(.rotary), name: "rotary", ModelGraph.Traffic())) == nil)
    let device = try RoundDevice().platform(perNode: nil, nodePath: nil, isMesh: false)
    var constants = try TestCalibration.choice(for: device.device, [:]).constants
    let plain = OperatorPricer(platform: device, constants: constants)
    constants.kernels = table
    let own = OperatorPricer(platform: device, constants: constants)
    #expect(own.price(gemm(rows: 1, bytesPerWeight: 4)).time == plain.price(gemm(rows: 1, bytesPerWeight: 4)).time)
    #expect(near(own.price(gemm(rows: 1)).time.value, 3e-6 + 1e-6 + 300e-9, within: 1e-9))
  }

  @Test func `experts are products one after another`() throws {
    let shape = ExpertGEMMShape(
      visits: 12, activeExperts: 4, columns: 200, inner: 50, loads: SIMD8(repeating: 3), isExact: true)
    let grouped = work(.expertGEMM(shape), ModelGraph.Traffic(weights: Bytes(2 * 4 * 10_000)))
    let table = try table()
    #expect(
      near(try #require(table.seconds(grouped)), 4 * (try #require(table.seconds(gemm(rows: 3)))), within: 1e-9))
  }

  @Test(arguments: [(500.0, 1e-6), (1e3, 1e-6), (1e4, 3.16228e-6), (1e5, 1e-5), (2e5, 2e-5)])
  func `work on rows follows a curve over bytes`(bytes: Double, seconds: Double) throws {
    let norm = work(.elementwise(.norm), name: "norm", ModelGraph.Traffic(activations: Bytes(bytes)))
    #expect(near(try #require(try table().seconds(norm)), seconds, within: 1e-5))
  }

  @Test func `attention of decodes is the 2-norm of reading and working beside its starts`() throws {
    let shape = DecodeAttentionShape(sequences: 2, queryHeads: 8, kvHeads: 4, pairWidth: 128)
    let decode = work(
      .decodeAttention(shape), flops: 1000, ModelGraph.Traffic(kvRead: Bytes(1000.0)))
    // Reading 3 us, working 1 + 2 us.
    let expected = 1e-6 + 8 * 2e-6 + (2 * 3e-6 * 3e-6).squareRoot()
    #expect(near(try #require(try table().seconds(decode)), expected, within: 1e-9))
  }

  @Test func `attention of prompts counts tiles of each KV head, the last of them not full`() throws {
    let shape = PrefillAttentionShape(sequences: 1, tokens: 10, queryHeads: 6, kvHeads: 2, headWidth: 64)
    let prefill = work(.prefillAttention(shape), flops: 1000, ModelGraph.Traffic())
    // 10 tokens of 3 heads are 30 rows: 3 tiles for each of 2 KV heads.
    #expect(near(try #require(try table().seconds(prefill)), 5e-6 + 1e-6 + 6e-6, within: 1e-9))
  }

  @Test(arguments: [
    ("{rows: 5, weight: 300 ps}", "{rows: 1, weight: 300 ps}", "ascending"),
    ("weights: bf16", "weights: bf61", "weights"),
    ("{rows: 1, weight: 100 ps}", "{rows: 1, weight: 0 s}", "weight"),
    ("tile_rows: 12", "tile_rows: 0", "tile_rows"),
    ("operator: norm, ", "operator: norm, speed: 3, ", "speed"),
  ])
  func `a fault in a table names the field`(good: String, bad: String, named: String) {
    let text = Self.text.replacing(good, with: bad)
    #expect(throws: DataError.self) { try Calibration.parse(YAMLDocument.parse(text, file: "host"), name: "host") }
    #expect {
      try Calibration.parse(YAMLDocument.parse(text, file: "host"), name: "host")
    } throws: {
      "\($0)".contains(named)
    }
  }
}
