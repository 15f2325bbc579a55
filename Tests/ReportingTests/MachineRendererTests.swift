import Foundation
import Testing

@testable import Reporting

@Suite struct MachineRendererTests {
  @Test func `CSV has the names in order, then one line a row`() {
    let text = MachineRenderer.csv(
      table([[.text("opt"), .int(4), .number(0.25)], [.text("t5"), .int(-1), .missing]]))
    #expect(text == "model,batch_size,ttft_s\nopt,4,0.25\nt5,-1,\n")
  }

  @Test func `CSV without rows is its header`() {
    #expect(MachineRenderer.csv(table([])) == "model,batch_size,ttft_s\n")
  }

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("a b", "a b"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
    ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""), ("a\r\nb", "\"a\r\nb\""), ("\"", "\"\"\"\""), ("é;'", "é;'"),
  ])
  func `a CSV text is quoted only where it must be`(text: String, field: String) {
    #expect(MachineRenderer.csvField(.text(text)) == field)
  }

  @Test(arguments: [0.1, 1.0 / 3, 1e-9, 3.35e12, 1e22, Double.leastNonzeroMagnitude, -0.0, 123_456_789.123_456_79])
  func `numbers keep full precision in CSV and JSON`(number: Double) throws {
    #expect(Double(MachineRenderer.csvField(.number(number))) == number)
    let json = MachineRenderer.json(table([[.text("m"), .int(1), .number(number)]]))
    let rows = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    #expect((rows[0]["ttft_s"] as? NSNumber)?.doubleValue == number)
  }

  @Test func `JSON is an array of objects with keys in column order and null for nothing`() {
    let text = MachineRenderer.json(
      table([[.text("opt"), .int(4), .number(0.25)], [.text("t5"), .missing, .missing]]))
    #expect(
      text == """
        [
          {"model": "opt", "batch_size": 4, "ttft_s": 0.25},
          {"model": "t5", "batch_size": null, "ttft_s": null}
        ]

        """)
  }

  @Test func `JSON without rows is an empty array`() { #expect(MachineRenderer.json(table([])) == "[]\n") }

  @Test(arguments: ["a\"b", "a\\b", "a\nb\tc\rd", "\u{0}\u{1}\u{1f}", "é 漢 🙂", "\u{2028}", "</script>"])
  func `any text survives JSON`(text: String) throws {
    let json = MachineRenderer.json(table([[.text(text), .int(1), .missing]]))
    let rows = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    #expect(rows[0]["model"] as? String == text)
  }

  @Test func `what is not finite is missing`() {
    #expect(ResultTable.Cell(Double.nan) == .missing)
    #expect(ResultTable.Cell(Double.infinity) == .missing)
    #expect(ResultTable.Cell(Double?.none) == .missing)
    #expect(ResultTable.Cell(2.5) == .number(2.5))
    #expect(ResultTable.Cell(String?.none) == .missing)
    #expect(ResultTable.Cell(Int?.none) == .missing)
  }
}
