import Foundation
import Testing

/// What README and Documentation promise is what the command does.
@Suite struct DocumentationTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOf: Command.repository.appendingPathComponent(path), encoding: .utf8)
  }

  @Test(arguments: ["devices", "links", "systems", "models", "runtimes", "traffic", "scenarios", "sites"])
  func `README counts what ships`(kind: String) throws {
    let row = try #require(try text("README.md").split(separator: "\n").first { $0.hasPrefix("| \(kind) |") })
    let count = row.split(separator: "|")[1].trimmingCharacters(in: .whitespaces)
    let listed = try Command().run("list \(kind) --format csv").output.split(separator: "\n").count - 1
    #expect(Int(count) == listed)
  }

  @Test func `README's worked prediction is what the command prints`() throws {
    let lines = try text("README.md").split(separator: "\n").filter { $0.hasPrefix("  ") && $0.contains("=") }
    let sums = try text("README.md").split(separator: "\n").filter { line in
      ["  weights ", "  memory  ", "  compute ", "  ridge point "].contains { line.hasPrefix($0) }
    }
    #expect(sums.count == 4 && lines.count >= 2)
    let printed = try Command().run(
      "predict --model llama-3-8b --hardware h100-sxm --batch 16 --input 1024 --output 256 --explain"
    ).output
    for sum in sums { #expect(printed.contains(sum), "\(sum)") }
  }

  @Test func `every column is documented`() throws {
    let documented = try text("Documentation/columns.md")
    let predicted = try Command().run("predict --model opt-125m --hardware t4 --format csv").output
    let explained = try Command().run("predict --model opt-125m --hardware t4 --explain --format csv").output
    for table in [predicted, explained] {
      let header = try #require(table.split(separator: "\n").first)
      for column in header.split(separator: ",") { #expect(documented.contains("`\(column)`"), "\(column)") }
    }
    let replayed = try Command().run(
      "simulate --model opt-125m --hardware t4 --traffic steady --count 5 --format csv --requests r.csv"
    ).output
    for column in try #require(replayed.split(separator: "\n").first).split(separator: ",") {
      let latency = column.split(separator: "_").first.map(String.init) ?? ""
      #expect(documented.contains("`\(column)`") || documented.contains("`\(latency)_*`"), "\(column)")
    }
  }

  @Test func `every column of comparisons and searches is documented`() throws {
    let documented = try text("Documentation/columns.md")
    let line = "--model opt-125m --hardware t4 --traffic steady --count 100 --format csv"
    let compared = try Command().run("compare chat-fcfs chat-fcfs --replications 2 " + line).output
    let searched = try Command().run("capacity --e2e 5s --tolerance 0.5 " + line).output
    for table in [compared, searched] {
      let header = try #require(table.split(separator: "\n").first)
      for column in header.split(separator: ",") { #expect(documented.contains("`\(column)`"), "\(column)") }
    }
    for row in compared.split(separator: "\n").dropFirst() {
      let metric = try #require(row.split(separator: ",").first)
      #expect(documented.contains("`\(metric)`"), "\(metric)")
    }
  }
}
