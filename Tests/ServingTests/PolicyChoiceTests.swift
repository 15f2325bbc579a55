import EventKernel
import Foundation
import Testing

@testable import Serving

@Suite struct PolicyChoiceTests {
  private let policies = [
    PolicyDescription("plain", "", source: ""),
    PolicyDescription(
      "rich", "", source: "",
      [
        PolicyParameter("share", "", 0...1, standard: 0.5), .whole("chunk", "", 1...100, standard: 8, unit: "tokens"),
        .choice("by", "", ["start", "end"], standard: "end"),
      ]),
    PolicyDescription("formula", "", source: "", [.text("key", "a formula"), .whole("n", "", 1...9, standard: 1)]),
  ]

  private func parse(_ text: String) throws -> PolicyChoice {
    try PolicyChoice.parse(text, kind: "scheduler", among: policies)
  }

  private func message(_ text: String) -> String {
    do {
      return "no error, but \(try parse(text))"
    } catch {
      return "\(error)"
    }
  }

  @Test func `parameters are numbers, whole numbers, words and texts, with standards for what is not given`() throws {
    let standard = try parse("rich").values
    #expect(standard["share"] == 0.5 && standard.int("chunk") == 8 && standard.text("by") == "end")
    let given = try parse("rich:by=start,share=0.25,chunk=3").values
    #expect(given["share"] == 0.25 && given.int("chunk") == 3 && given.text("by") == "start")
    #expect(try parse("plain").values == PolicyValues())
  }

  @Test func `a text may be quoted or not, hold commas in parentheses, and go without its name`() throws {
    for (text, key, n) in [
      ("formula:a+b", "a+b", 1), ("formula:key=a", "a", 1), ("formula:\"min(a, b), c\",n=2", "min(a, b), c", 2),
      ("formula:'x'", "x", 1), ("formula:min(a, max(b, c)),n=3", "min(a, max(b, c))", 3), ("formula:a==b", "a==b", 1),
      ("formula:a>=b,n=4", "a>=b", 4), ("formula:n=5,key=\"q=1\"", "q=1", 5),
    ] {
      let values = try parse(text).values
      #expect(values.text("key") == key && values.int("n") == n, "\(text)")
    }
    let structured = try PolicyChoice.make(
      name: "formula", parameters: [("n", "2"), ("key", "a, b")], kind: "scheduler", among: policies)
    #expect(structured.values.text("key") == "a, b" && structured.values.int("n") == 2)
  }

  @Test func `what cannot be is told with what was expected`() {
    #expect(message("plan") == "unknown scheduler 'plan', expected one of plain, rich, formula; did you mean 'plain'?")
    #expect(message("rich:chnk=3").contains("'rich' has no parameter 'chnk', expected one of share, chunk, by"))
    #expect(message("rich:chnk=3").contains("did you mean 'chunk'?"))
    #expect(message("rich:share=2") == "scheduler 'rich', share: found '2', expected a number from 0 to 1")
    #expect(message("rich:share=nan").contains("found 'nan'"))
    #expect(
      message("rich:chunk=2.5") == "scheduler 'rich', chunk: found '2.5', expected a whole number from 1 to 100 tokens")
    #expect(message("rich:by=middle") == "scheduler 'rich', by: found 'middle', expected one of start, end")
    #expect(message("rich:chunk=2,chunk=3") == "scheduler 'rich': 'chunk' is given twice")
    #expect(message("rich:chunk").contains("'chunk' is no parameter=value, expected one of share=0.5, chunk=8, by=end"))
    #expect(message("rich:").contains("is no parameter=value"))
    #expect(message("formula") == "scheduler 'formula' needs key: a formula")
    #expect(message("formula:n=1").contains("needs key"))
    #expect(message("formula:").contains("found ''"))
  }

  @Test func `every policy in the lists says what it does and where it comes from, and can be made`() throws {
    let lists = [Schedulers.descriptions, Admissions.descriptions, Routers.descriptions]
    for description in lists.flatMap({ $0 }) {
      #expect(!description.summary.isEmpty && !description.source.isEmpty, "\(description.name)")
      #expect(description.parameters.allSatisfy { !$0.meaning.isEmpty }, "\(description.name)")
    }
    for list in lists { #expect(Set(list.map(\.name)).count == list.count) }
    for text in PolicyVariations.texts(Schedulers.descriptions) { _ = try Schedulers.make(text) }
    for text in PolicyVariations.texts(Admissions.descriptions) { _ = try Admissions.make(text) }
    #expect(try Schedulers.make(name: "sarathi", parameters: [("chunk", "64")]).batching?.tokens == 64)
  }

  @Test func `the documentation of policies has all of them, with their parameters`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: folder.appending(path: "Documentation/policies.md"), encoding: .utf8)
    for description in Schedulers.descriptions + Admissions.descriptions {
      let section = text.components(separatedBy: "\n").first { $0.hasPrefix("| `\(description.name)` |") }
      let line = try #require(section, "\(description.name) is not documented")
      for parameter in description.parameters { #expect(line.contains("`\(parameter.name)"), "\(description.name)") }
    }
    for field in RequestField.allCases { #expect(text.contains("`\(field.rawValue)`"), "\(field)") }
    for function in PriorityExpression.Function.allCases {
      #expect(text.contains("`\(function.rawValue)("), "\(function)")
    }
  }
}
