import Testing

@testable import Documents

@Suite struct JSONDocumentTests {
  private func parse(_ text: String) throws -> Node { try JSONDocument.parse(text, file: "a.json") }
  private func fault(_ text: String) -> String { message { try parse(text) } }

  @Test func `nodes know their line and path, and keys come as they stand`() throws {
    let root = try parse("{\"b\": [1,\n{\"c\": \"x\"}], \"a\": null, \"t\": true}").object()
    #expect(root.keys == ["b", "a", "t"])
    #expect(root.optional("a") == nil)
    #expect(try root.required("b").array()[1].object().required("c").path == "b[1].c")
    #expect(try root.required("b").array()[1].line == 2)
    #expect(try root.optionalBool("t") == true)
  }

  @Test(arguments: [
    "", " ", "{", "[1, 2", "[,]", "{\"a\": NaN}", "{\"a\": Infinity}", "{\"a\": 0x10}",
    "{\"a\": 1_000}",
    "{\"a\": .5}", "{\"a\": 01}", "{\"a\": +1}", "{a: 1}", "{'a': 1}", "{\"a\" 1}", "{\"a\": 1} x", "\"open",
    "{\"a\": \"\\q\"}", "{\"a\": \"\u{1}\"}", "{\"a\": 1,}", "[1,]", "{\"a\": \"\\ud800\"}", "{\"a\": 1.}",
    "{\"a\": 1e}", "nul", "// comment\n{}", "{\"a\": tru}",
  ])
  func `a text that is not JSON is refused`(text: String) {
    let found = fault(text)
    #expect(found.hasPrefix("a.json:") && found.contains("is not JSON") && isOneLine(found), "\(found)")
  }

  @Test func `a number beyond the range of doubles is refused with its field`() {
    #expect(fault("{\"b\": 1e999}") == "a.json:1: b: found '1e999', a number too large")
    #expect(fault("{\"b\": [0, -1e999]}") == "a.json:1: b[1]: found '-1e999', a number too large")
  }

  @Test func `a key that appears twice is refused at its line`() {
    #expect(fault("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}") == "a.json:3: key 'a' appears twice")
  }

  @Test func `escapes are read, also of characters beyond the basic plane`() throws {
    let text = "{\"a\": \"\\u00e9 \\ud83d\\ude00 \\/ \\n\"}"
    #expect(try parse(text).object().string("a") == "\u{e9} \u{1F600} / \n")
  }

  @Test func `a huge whole number is no count`() {
    let found = message { try parse("{\"b\": 123456789012345678901234567890}").object().int("b") }
    #expect(found == "a.json:1: b: found 1.2345678901234568e+29, expected a whole number")
  }

  @Test func `a whole number may be written as a real one`() throws {
    #expect(try parse("{\"a\": 4096.0}").object().int("a") == 4096)
    #expect(try parse("{\"a\": 4.096e3}").object().int("a") == 4096)
  }

  @Test func `numbers, texts and truth values are kept apart`() {
    #expect(message { try parse("{\"a\": \"8\"}").object().int("a") }.hasSuffix("found '8', expected a whole number"))
    #expect(message { try parse("{\"a\": true}").object().int("a") }.hasSuffix("found true, expected a whole number"))
    #expect(message { try parse("{\"a\": 1}").object().optionalBool("a") as Any }.hasSuffix("expected true or false"))
    #expect(message { try parse("{\"a\": 1.5}").object().string("a") }.hasSuffix("found 1.5, expected a text"))
    #expect(message { try parse("{\"a\": {}}").object().required("a").array() }.hasSuffix("expected a list"))
    #expect(message { try parse("[]").object() } == "a.json:1: found a list of 0, expected a table of keys")
  }

  @Test(arguments: ["[", "{\"a\":"]) func `deep nesting is refused and never overflows the stack`(open: String) {
    let found = fault(String(repeating: open, count: 100_000))
    #expect(found.hasPrefix("a.json:1: nests deeper") && isOneLine(found), "\(found)")
  }

  @Test func `deep nesting that is well formed is refused too`() {
    for depth in [100, 400, 511, 512, 513, 1000, 5000] {
      let found = fault(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
      #expect(found.hasPrefix("a.json:1: nests deeper than 64 levels"), "\(depth): \(found)")
    }
  }

  @Test func `control characters of a key do not reach the message`() {
    let found = message { try parse("{\"a\\nb\\u0007\": 1}").strictObject { _ in } }
    #expect(found == "a.json:1: a?b?: unknown key")
  }
}
