import Testing

@testable import Documents

@Suite struct CSVReaderTests {
  private func reader(_ text: String) throws -> CSVReader { try CSVReader(bytes: Array(text.utf8), file: "a.csv") }

  /// Every record as texts.
  private func records(_ text: String) throws -> [[String]] {
    let csv = try reader(text)
    var rows: [[String]] = []
    while try csv.next() { rows.append(try csv.header.indices.map { try csv.text($0) }) }
    return rows
  }

  private func fault(_ text: String) -> String { message { try records(text) } }

  @Test(arguments: [
    "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "\u{FEFF}a,b\n1,2\n\n3,4\n\n", " a , b \n\"1\",2\n3,\"4\"\n",
  ])
  func `line ends, marks, blank lines and quotes change nothing`(text: String) throws {
    #expect(try reader(text).header == ["a", "b"])
    #expect(try records(text) == [["1", "2"], ["3", "4"]])
  }

  @Test func `a quoted field may hold commas, quotes and line ends`() throws {
    #expect(try records("a,b\n\"x,\"\"y\"\"\r\nz\",2\n,\"\"\n") == [["x,\"y\"\r\nz", "2"], ["", ""]])
  }

  @Test func `lines are counted through quoted line ends and blank lines`() throws {
    let csv = try reader("a,b\n\"x\ny\",1\n\n3,oops\n")
    #expect(try csv.next() && csv.line == 2)
    #expect(try csv.next() && csv.line == 5)
    #expect(message { try csv.int(1, in: 0...9) } == "a.csv:5: b: found 'oops', expected a whole number")
  }

  @Test func `a blank line is a record where there is one column`() throws {
    #expect(try records("a\n1\n\n2\n") == [["1"], [""], ["2"]])
  }

  @Test func `a header alone has no records`() throws { #expect(try records("a,b\n").isEmpty) }

  @Test(arguments: [
    ("", "a.csv: is empty, expected a CSV header line"),
    ("a,b,a\n", "a.csv:1: a: column appears twice in the header"),
    ("a,b\n1,2\n3\n", "a.csv:3: has 1 fields, expected 2 as in the header"),
    ("a,b\n1,2,3\n", "a.csv:2: has 3 fields, expected 2 as in the header"),
    ("a,b\n1,\"2\n3,4\n", "a.csv:2: ends inside a quoted field"),
    ("a,b\n1,x\"y\"\n", "a.csv:2: has a quote inside an unquoted field"),
    ("a,b\n1,\"2\"x\n", "a.csv:2: has text after a closing quote"),
    ("a,b\n1,\"2\"\"\n", "a.csv:2: ends inside a quoted field"),
    ("a,b\n1,\0\n", "a.csv:2: contains a NUL byte, expected text"),
    ("a,b\n1,\"x\0y\"\n", "a.csv:2: contains a NUL byte, expected text"),
  ])
  func `a malformed table is refused at its line`(text: String, expected: String) {
    #expect(fault(text) == expected)
  }

  @Test func `bytes that are not UTF-8 are refused where they are`() throws {
    let csv = try CSVReader(bytes: Array("a,b\n1,".utf8) + [0xFF, 0x0A], file: "a.csv")
    #expect(try csv.next())
    #expect(message { try csv.text(1) } == "a.csv:2: b: is not UTF-8 text")
    #expect(message { try CSVReader(bytes: [0x61, 0xC3, 0x2C], file: "a.csv") } == "a.csv:1: is not UTF-8 text")
  }

  @Test func `a record longer than a megabyte is refused`() {
    let long = String(repeating: "x", count: CSVReader.longestRecord + 1)
    #expect(fault("a\n\"\(long)") == "a.csv:2: is longer than 1048576 bytes; is a quote missing?")
    let commas = String(repeating: ",", count: CSVReader.longestRecord + 1)
    #expect(fault("a\n\(commas)\n") == "a.csv:2: is longer than 1048576 bytes; is a quote missing?")
  }

  @Test func `a missing column is named with those that are there`() {
    #expect(
      message { try reader("batch,model\n").column("batch_size") }
        == "a.csv:1: column 'batch_size' is missing; found batch, model")
  }

  @Test func `the message of a huge header is cut`() {
    let header = (0..<10000).map { "column\($0)" }.joined(separator: ",")
    #expect(message { try reader(header + "\n").column("x") }.count < 1100)
  }

  @Test(arguments: [
    ("7", 7), ("0012", 12), ("1e3", 1000), ("5.0", 5), ("+5", 5), ("1000000000000000000", 1_000_000_000_000_000_000),
  ])
  func `whole numbers may be spelled as real ones`(text: String, number: Int) throws {
    let csv = try reader("a,b\n\(text),1\n")
    #expect(try csv.next())
    #expect(try csv.int(0, in: 0...Int.max) == number)
  }

  @Test(arguments: [
    "", " 1", "1 ", "1.5", "0x10", "1_000", "nan", "inf", "1e999", "99999999999999999999", "one", "-", "²",
  ])
  func `what is no whole number is refused as such`(text: String) throws {
    let csv = try reader("a,b\n\(text),1\n")
    #expect(try csv.next())
    #expect(message { try csv.int(0, in: 0...100) } == "a.csv:2: a: found '\(text)', expected a whole number")
  }

  @Test(arguments: ["-1", "101", "1e9"]) func `a number out of range is refused with the range`(text: String) throws {
    let csv = try reader("a,b\n\(text),1\n")
    #expect(try csv.next())
    #expect(message { try csv.int(0, in: 0...100) }.hasSuffix("expected a whole number from 0 to 100"))
    #expect(message { try csv.double(0, in: 0...100) }.hasSuffix("expected a number from 0.0 to 100.0"))
  }

  @Test(arguments: ["", "nan", "inf", "-inf", "infinity", "1e999", "0x1p3", "0x10", "1,5", "1.5 s", "1_0"])
  func `what is no finite number is refused as such`(text: String) throws {
    let csv = try reader("a,b\n\"\(text)\",1\n")
    #expect(try csv.next())
    #expect(message { try csv.double(0, in: 0...100) } == "a.csv:2: a: found '\(text)', expected a finite number")
  }
}
