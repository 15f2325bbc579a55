import Quantities
import Testing

@testable import Documents

@Suite struct ObjectReaderTests {
  private enum Fruit: String, CaseIterable { case apple, banana }

  private func read(_ text: String, _ body: (ObjectReader) throws -> some Any) -> String {
    message { try YAMLDocument.parse(text, file: "a.yaml").strictObject(body) }
  }

  @Test func `an unknown key is refused with the nearest known one`() {
    #expect(
      read("name: x\nbandwith: 3") { try ($0.string("name"), $0.optional("bandwidth") == nil) }
        == "a.yaml:2: bandwith: unknown key; did you mean 'bandwidth'?")
    #expect(read("zzz: 3") { $0.optional("bandwidth") == nil } == "a.yaml:1: zzz: unknown key")
  }

  @Test func `a missing key is named with the key that may have been meant`() {
    #expect(
      read("inner:\n  bandwith: 3") { try $0.required("inner").object().int("bandwidth") }
        == "a.yaml:2: inner: 'bandwidth' is missing; did you mean 'bandwith'?")
    #expect(read("{}") { try $0.int("n") } == "a.yaml:1: 'n' is missing")
  }

  @Test func `a word outside its list is refused with the list and the nearest`() {
    #expect(
      read("f: banan") { try $0.choice("f", Fruit.self) }
        == "a.yaml:1: f: found 'banan', expected one of apple, banana; did you mean 'banana'?")
    #expect(read("f: 3") { try $0.choice("f", Fruit.self) }.contains("found '3', expected one of apple, banana"))
  }

  @Test(arguments: [
    ("3", "found '3' without a unit, expected a bandwidth such as '1 B/s'"),
    ("3.5", "found '3.5' without a unit, expected a bandwidth such as '1 B/s'"),
    ("3 TBps", "'TBps' is no unit of bandwidth; did you mean 'TB/s'?"),
    ("fast", "found 'fast', expected a number and a unit of bandwidth"),
    ("[1 B/s]", "found a list of 1, expected a bandwidth such as '1 B/s'"),
    ("true", "found true, expected a bandwidth such as '1 B/s'"),
    (".nan", "found '.nan', expected a number and a unit of bandwidth"),
    ("1e999", "found 'inf', expected a number and a unit of bandwidth"),
    ("1e999 B/s", "found '1e999 B/s', expected a number and a unit of bandwidth"),
    ("-3 B/s", "found '-3 B/s', expected a positive bandwidth"),
    ("0 B/s", "found '0 B/s', expected a positive bandwidth"),
    ("1e31 B/s", "found '1e31 B/s', beyond anything physical"),
  ])
  func `a quantity that is none is refused`(text: String, problem: String) {
    #expect(read("q: \(text)") { try $0.quantity("q", BandwidthDimension.self) } == "a.yaml:1: q: \(problem)")
  }

  @Test func `zero is a quantity where it is allowed, and less than zero nowhere`() {
    #expect(read("q: 0 W") { try $0.quantity("q", PowerDimension.self, allowingZero: true) } == "accepted: 0 W")
    #expect(
      read("q: -1 W") { try $0.quantity("q", PowerDimension.self, allowingZero: true) }
        == "a.yaml:1: q: found '-1 W', expected a non-negative power")
  }

  @Test func `an empty text is no text`() {
    #expect(read("s: \"\"") { try $0.string("s") } == "a.yaml:1: s: found '', expected a text")
  }

  @Test func `a list is wanted item by item`() {
    #expect(read("l: x") { try $0.optionalStrings("l") } == "a.yaml:1: l: found 'x', expected a list")
    #expect(
      read("l: [a,\n  [b]]") { try $0.optionalStrings("l") } == "a.yaml:2: l[1]: found a list of 1, expected a text")
  }

  @Test func `a file's name must be the name inside`() {
    #expect(
      read("name: a") { try checkedName($0, "b") } == "a.yaml:1: name: found 'a', expected 'b', the name of the file")
    #expect(read("name: a") { try checkedName($0, nil) } == "accepted: a")
  }
}

@Suite struct SourceTableTests {
  private func cover(_ block: String, _ fields: [String] = ["rate", "size"]) -> String {
    message {
      try YAMLDocument.parse("sources: {book: A book, site: A site}\nblock: \(block)\n", file: "a.yaml").strictObject {
        let sources = try SourceTable($0)
        try $0.required("block").strictObject { block in
          try sources.cover(block, fields)
          for field in fields { _ = block.optional(field) }
        }
        return sources.byField.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
      }
    }
  }

  @Test func `one key covers every number of a block`() {
    #expect(cover("{rate: 1, size: 2, source: book}") == "accepted: block.rate=A book block.size=A book")
  }

  @Test func `a table of keys covers number by number`() {
    #expect(
      cover("{rate: 1, size: 2, source: {rate: book, size: site}}")
        == "accepted: block.rate=A book block.size=A site")
  }

  @Test(arguments: [
    ("{rate: 1}", "a.yaml:2: block: 'source' is missing"),
    ("{rate: 1, source: boook}", "a.yaml:2: block.source: 'boook' is not in the file's sources; did you mean 'book'?"),
    ("{rate: 1, size: 2, source: {rate: book}}", "a.yaml:2: block.source: names no source for 'size'"),
    ("{rate: 1, source: {rte: book}}", "a.yaml:2: block.source: names no source for 'rate'; did you mean 'rte'?"),
    ("{rate: 1, source: {rate: book, size: site}}", "a.yaml:2: block.source.size: unknown key"),
    ("{rate: 1, source: [book]}", "a.yaml:2: block.source: found a list of 1, expected a table of keys"),
    ("{rate: 1, source: {rate: [book]}}", "a.yaml:2: block.source.rate: found a list of 1, expected a text"),
  ])
  func `a number without its source is refused`(block: String, expected: String) {
    #expect(cover(block) == expected)
  }

  @Test func `a file without sources is refused`() {
    let found = message { try YAMLDocument.parse("a: 1", file: "a.yaml").strictObject { try SourceTable($0) } }
    #expect(found == "a.yaml:1: 'sources' is missing")
  }
}
