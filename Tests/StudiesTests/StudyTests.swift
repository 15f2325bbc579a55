import Documents
import Foundation
import Studies
import Synchronization
import Testing

@Suite struct StudyTests {
  private static let text = """
    name: small
    title: A small study
    question: Does it work?
    scenario:
      model: opt-125m
      hardware: t4
      horizon: {requests: 200}
      warm_up: {requests: 20}
    compare:
      axis: slots
      values:
        - {name: many}
        - {name: few, about: eight at once, set: {limits: {max_num_seqs: 8}}}
    facets:
      - axis: traffic
        values:
          - {name: chat, set: {traffic: {name: chat-short}}}
          - {name: steady, set: {traffic: {name: steady}}}
    load: {e2e: 5 s, share: 0.9, fractions: [0.5, 1]}
    capacities: true
    replications: 2
    metrics: [ttft_p99_s, e2e_mean_s]
    """

  private func files(_ folder: String) throws -> [String: String] {
    var files: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !name.hasSuffix(".yaml") {
      files[name] = try TextFile.document(at: folder + "/" + name)
    }
    return files
  }

  private func study(_ text: String = Self.text) throws -> (Study, Scratch) {
    let scratch = try Scratch()
    return (try StudyFile.read(path: scratch.write("small.yaml", text), name: "small"), scratch)
  }

  private func write(_ study: Study, _ runner: ScenarioRunner, to folder: String) throws {
    let studies = try StudyRunner(study, runner: runner, journal: folder + "/journal.partial", fingerprint: "1")
    _ = try StudyReport(studies.run { _, _, _ in }).write(to: folder, command: "test")
    studies.forget()
  }

  @Test func `an interrupted study goes on where it stopped, and ends with the same bytes`() throws {
    let (study, whole) = try study()
    try write(study, Shipped.runner(), to: whole.path)
    let expected = try files(whole.path)
    #expect(
      Set(expected.keys).isSuperset(of: ["README.md", "runs.csv", "summary.csv", "capacities.csv", "capacities.svg"]))

    let cut = try Scratch()
    let asked = Atomic(0)
    let builder = ScenarioBuilder(library: try Shipped.library())
    // Runs of 200 requests are over before anybody asks; the journal is cut as a crash would cut it.
    let runner = ScenarioRunner(builder) { asked.wrappingAdd(1, ordering: .relaxed).newValue >= 0 }
    let studies = try StudyRunner(study, runner: runner, journal: cut.path + "/journal.partial", fingerprint: "1")
    _ = try studies.run { _, _, _ in }
    let journal = try TextFile.document(at: cut.path + "/journal.partial")
    let kept = journal.prefix(journal.count / 2)
    _ = try cut.write("journal.partial", String(kept))
    try write(study, Shipped.runner(), to: cut.path)
    #expect(try files(cut.path) == expected)
  }

  @Test func `the page names every value, and holds a number for every metric and load`() throws {
    let (study, scratch) = try study()
    try write(study, Shipped.runner(), to: scratch.path)
    let page = try #require(try files(scratch.path)["README.md"])
    for part in ["# A small study", "Does it work?", "**few**: eight at once", "## Chat", "## Steady", "Load 0.5:"] {
      #expect(page.contains(part), "\(part)")
    }
    let runs = try #require(try files(scratch.path)["runs.csv"]).split(separator: "\n")
    // Two pages, two values, two loads, two replications.
    #expect(runs.count == 1 + 16)
  }

  @Test func `a fault in any combination shows before the first run`() throws {
    for (old, new, part) in [
      ("max_num_seqs: 8", "max_num_sequences: 8", "max_num_sequences"), ("share: 0.9", "share: 9", "load.share"),
      ("[0.5, 1]", "[1, 0.5]", "rising shares"), ("{name: few,", "{name: many,", "has a name twice"),
      ("metrics: [ttft_p99_s", "metrics: [ttft_p98_s", "did you mean 'ttft_p99_s'?"),
    ] {
      #expect {
        _ = try study(Self.text.replacing(old, with: new))
      } throws: { error in
        "\(error)".contains("small.yaml") && "\(error)".contains(part)
      }
    }
  }

  @Test(arguments: ["policies", "disaggregation"]) func `the shipped studies can be read`(name: String) throws {
    let path = Shipped.folder + "/Reports/Examples/\(name)/study.yaml"
    let study = try StudyFile.read(path: path, name: nil)
    #expect(study.name == name && study.compared.values.count >= 5)
  }
}
