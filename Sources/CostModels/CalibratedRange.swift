import Documents

/// The sizes of the runs a calibration was fitted to.
package struct CalibratedRange: Sendable, Equatable {
  package var batch: ClosedRange<Int>
  package var inputTokens: ClosedRange<Int>
  package var outputTokens: ClosedRange<Int>
  package var devices: ClosedRange<Int>

  static func parse(_ node: Node) throws -> CalibratedRange {
    try node.strictObject { block in
      func span(_ key: String) throws -> ClosedRange<Int> {
        let item = try block.required(key)
        let ends = try item.array().map { try $0.int(in: 1...1_000_000_000) }
        guard ends.count == 2, ends[0] <= ends[1] else { throw item.error("expected two numbers, smallest first") }
        return ends[0]...ends[1]
      }
      return CalibratedRange(
        batch: try span("batch"), inputTokens: try span("input_tokens"), outputTokens: try span("output_tokens"),
        devices: try span("devices"))
    }
  }
}
