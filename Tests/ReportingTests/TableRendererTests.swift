import Testing

@testable import Reporting

@Suite struct TableRendererTests {
  @Test func `numbers stand to the right and texts to the left, under a rule`() {
    let text = TableRenderer.rows(
      table([
        [.text("llama-3-8b"), .int(1), .number(0.0123)], [.text("opt"), .int(1024), .missing],
      ]))
    #expect(
      text == """
        model       batch     TTFT
        ----------  -----  -------
        llama-3-8b      1  12.3 ms
        opt         1,024        -

        """)
  }

  @Test func `no line ends in a space and every line of numbers is equally wide`() {
    let text = TableRenderer.rows(
      table([[.text("a"), .int(1), .number(1)], [.text("much longer"), .int(22), .number(0.5)]]))
    let lines = text.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") && $0.count == lines[0].count })
  }

  @Test func `a column of texts or of nothing stands to the left`() {
    let text = TableRenderer.rows(table([[.text("a"), .missing, .text("x")]]))
    #expect(text == "model  batch  TTFT\n-----  -----  ----\na      -      x\n")
  }

  @Test func `a table without rows is its header`() {
    #expect(TableRenderer.rows(table([])) == "model  batch  TTFT\n-----  -----  ----\n")
  }

  @Test func `a card is one line a column`() {
    #expect(
      TableRenderer.card(table([[.text("opt"), .int(1200), .missing]]))
        == "  model  opt\n  batch  1,200\n  TTFT   -\n")
    #expect(TableRenderer.card(table([])).isEmpty)
  }

  private static let styles: [(ResultTable.Cell, ResultTable.Style, String)] = [
    (.number(0.00912), .time, "9.12 ms"), (.number(80e9), .size, "80 GB"), (.number(3.35e12), .bandwidth, "3.35 TB/s"),
    (.number(2e12), .work, "2 TFLOP"), (.number(700), .power, "700 W"), (.number(0.25), .energy, "250 mJ"),
    (.number(0.1234), .percent, "12.3 %"), (.number(12.345), .rate, "12.35/s"),
    (.number(123_456.7), .rate, "123,457/s"),
    (.number(0.1234), .money, "0.1234 USD"), (.number(12.345), .money, "12.35 USD"),
    (.number(999.4), .count, "999.4"), (.number(1_234_567), .count, "1,234,567"), (.number(295.25), .intensity, "295"),
    (.number(1.23456), .plain, "1.235"), (.int(1_234_567), .plain, "1,234,567"), (.int(-1234), .count, "-1,234"),
    (.int(5), .time, "5 s"), (.missing, .money, "-"), (.text("any"), .time, "any"), (.int(0), .size, "0 B"),
  ]

  @Test(arguments: styles.indices) func `a style gives a number its unit`(index: Int) {
    let (cell, style, text) = Self.styles[index]
    #expect(cell.text(style: style) == text)
  }

  @Test(arguments: [1e19, 1e30, 1.7e308]) func `a number too large for a whole one is still shown`(number: Double) {
    for style in [ResultTable.Style.count, .rate, .plain, .percent, .money, .size] {
      #expect(!ResultTable.Cell.number(number).text(style: style).isEmpty)
    }
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (123_456, "123,456"),
    (Int.max, "9,223,372,036,854,775,807"), (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func `digits come in threes`(number: Int, text: String) { #expect(groupedDigits(number) == text) }
}
