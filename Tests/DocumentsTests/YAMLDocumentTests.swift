import Testing

@testable import Documents

@Suite struct YAMLDocumentTests {
  private func parse(_ text: String) throws -> Node { try YAMLDocument.parse(text, file: "a.yaml") }
  private func fault(_ text: String) -> String { message { try parse(text) } }

  @Test func `nodes know their path and line`() throws {
    let root = try parse("a: 1\nb:\n  - {c: x}\n  - d: 2.5\n").object()
    #expect(try root.int("a") == 1)
    let item = try root.required("b").array()[1].object().required("d")
    #expect(item.path == "b[1].d" && item.line == 4)
    #expect(try item.double() == 2.5)
  }

  @Test(arguments: ["no", "yes", "on", "1_000", "0x10", "0o17", ".nan", ".inf", "-.INF", "12:30", "2025-06", "1 GB"])
  func `what YAML 1_2 does not call a number or truth value is text`(text: String) throws {
    guard case .string(text) = try parse("a: \(text)").object().required("a").value else {
      Issue.record("'\(text)' did not stay a text")
      return
    }
  }

  @Test(arguments: [("7", 7), ("+7", 7), ("-7", -7), ("007", 7)])
  func `whole numbers are decimal`(text: String, number: Int) throws {
    guard case .int(number) = try parse("a: \(text)").object().required("a").value else {
      Issue.record("'\(text)' is not \(number)")
      return
    }
  }

  @Test(arguments: ["", "~", "null", "NULL"]) func `a null key counts as absent`(text: String) throws {
    #expect(try parse("a: \(text)\nb: 1").object().optional("a") == nil)
  }

  @Test func `a quoted number is a text`() throws {
    let found = message { try parse("a: \"8\"").object().int("a") }
    #expect(found == "a.yaml:1: a: found '8', expected a whole number")
  }

  @Test(arguments: [".nan", ".inf", "1e999", "-1e999", "0x10", "1_000", "one"])
  func `what is no finite number is refused where a number is wanted`(text: String) {
    let found = message { try parse("a:\n  b: \(text)").object().required("a").object().double("b") }
    #expect(found.hasPrefix("a.yaml:2: a.b: found ") && found.hasSuffix(", expected a finite number"), "\(found)")
  }

  @Test(arguments: ["99999999999999999999", "1e40", "2.5", "-1", "true", "[1]", "{b: 1}"])
  func `what is no count in range is refused where a count is wanted`(text: String) {
    let found = message { try parse("a: \(text)").object().int("a", in: 0...100) }
    #expect(found.hasPrefix("a.yaml:1: a: found ") && found.contains("expected a whole number"), "\(found)")
  }

  @Test func `byte order mark and CRLF change nothing`() throws {
    let text = try TextFile.text([0xEF, 0xBB, 0xBF] + Array("a: 1\r\nb: two\r\n".utf8), file: "a.yaml")
    let root = try parse(text).object()
    #expect(try root.int("a") == 1 && root.string("b") == "two")
  }

  @Test(arguments: [
    ("", "a.yaml: is empty, expected a YAML document"),
    ("# only a comment\n", "a.yaml: is empty, expected a YAML document"),
    ("a: 1\nb: 2\na: 3\n", "a.yaml:1: key 'a' appears twice"),
    ("x: {y: 1,\n  z: 2, y: 3}\n", "a.yaml:1: key 'y' appears twice"),
    ("a: &x 1\nb: *x\n", "a.yaml:2: uses a YAML alias, '*x', which is not supported here"),
    ("a: &x {p: 1}\nb:\n  <<: *x\n", "a.yaml:3: uses a YAML alias, '*x', which is not supported here"),
    ("? [a, b]\n: 1\n", "a.yaml:1: has a key that is not a text"),
  ])
  func `a document that is not a plain tree is refused`(text: String, expected: String) {
    #expect(fault(text) == expected)
  }

  @Test(arguments: [
    ("a: 1\nb: [1, 2\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: \"open\nb: 2\n", 3), ("a: b: c\n", 1), ("a: 1\n b: 2\n", 2),
    ("- 1\na: 2\n", 2), ("a: *missing\n", 1), ("a: @x\n", 1), ("a: 'x' y\n", 1), ("a: 1\n---\nb: 2\n", 2),
    ("%YAML 9.9\n---\na: 1\n", 1), ("a: \"\\q\"\n", 1),
  ])
  func `a text that is not YAML is refused at its line`(text: String, line: Int) {
    #expect(fault(text).hasPrefix("a.yaml:\(line): is not YAML: "), "\(fault(text))")
  }

  @Test func `an alias bomb in values is refused`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 { text += "a\(level): &a\(level) [\(repeated("*a\(level - 1)", 9))]\n" }
    #expect(fault(text) == "a.yaml:2: uses a YAML alias, '*a0', which is not supported here")
  }

  /// Yams compares the keys of a table to find duplicates, which never ends on such a key.
  @Test func `an alias bomb in keys is refused before the parser compares keys`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...30 { text += "a\(level): &a\(level) [\(repeated("*a\(level - 1)", 9))]\n" }
    text += "? *a30\n: 1\n? *a29\n: 2\n"
    #expect(fault(text).contains("alias"))
  }

  @Test(arguments: ["notes: R&D at 2*x, A & B, *this*", "notes: \"&a and *b\"", "a: &unused 1"])
  func `ampersands and stars in prose are no aliases`(text: String) {
    #expect(fault(text).hasPrefix("accepted"))
  }

  private func repeated(_ item: String, _ count: Int, separator: String = ", ") -> String {
    Array(repeating: item, count: count).joined(separator: separator)
  }

  private static let deep: [(name: String, text: String)] = [
    ("lists in brackets", String(repeating: "[", count: 100_000)),
    ("tables in braces", String(repeating: "{a: ", count: 100_000)),
    ("closed lists", String(repeating: "[", count: 500) + String(repeating: "]", count: 500)),
    ("brackets hidden behind closing ones in quotes", String(repeating: "[\"]\", ", count: 50_000)),
    ("braces hidden behind closing ones in quotes", String(repeating: "{\"}\": ", count: 50_000)),
    ("dashes on one line", String(repeating: "- ", count: 100_000) + "x"),
    ("question marks on one line", String(repeating: "? ", count: 100_000) + "x"),
    ("dashes and question marks", String(repeating: "- ? ", count: 50_000) + "x"),
    ("indentation", (0..<2000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()),
    ("indented dashes", (0..<1000).map { String(repeating: " ", count: $0) + "-\n" }.joined()),
  ]

  // By name: the runner prints its arguments, and these texts have up to 2 MB.
  @Test(arguments: deep.map(\.name)) func `deep nesting is refused and never overflows the stack`(name: String) throws {
    let item = try #require(Self.deep.first { $0.name == name })
    let found = fault(item.text)
    #expect(found.hasPrefix("a.yaml:") && isOneLine(found), "\(name): \(found)")
  }

  @Test func `nesting that a person might write is read`() throws {
    #expect(fault("a: " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60)).hasPrefix("accepted"))
  }

  @Test func `a document of very many values is refused`() {
    #expect(fault("a: [" + repeated("1", 200_001) + "]").hasSuffix("is too large or too deep a document"))
  }

  @Test func `control characters of a key or value do not reach the message`() {
    let key = message { try parse("\"a\\nb\\e[31m\": 1").strictObject { _ in } }
    #expect(key == "a.yaml:1: a?b?[31m: unknown key")
    let value = message { try parse("a: \"x\\r\\ny\\u2028z\\0\"").object().int("a") }
    #expect(value == "a.yaml:1: a: found 'x??y?z?', expected a whole number")
  }

  @Test func `a very long text is cut in the message`() {
    let found = message { try parse("a: \(String(repeating: "x", count: 5000))").object().int("a") }
    #expect(found == "a.yaml:1: a: found '\(String(repeating: "x", count: 60))...', expected a whole number")
    #expect(fault("\(String(repeating: "k", count: 900)): 1\n").hasPrefix("accepted"))
    let key = message { try parse("\(String(repeating: "k", count: 1000)): 1\n").strictObject { _ in } }
    #expect(key.count < 1100)
  }
}
