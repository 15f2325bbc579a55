import ArgumentParser
import Documents
import Execution
import Quantities
import Reporting
import Serving
import Studies
import Workloads

struct AdviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Ranks techniques, alone and in pairs, by what they gain on one's own platform.",
    discussion: """
      Each is tried with inputs that a publication reports. The gain is in \
      answers a second at the largest batch that keeps the objectives; its \
      interval leaves out errors that both sides share. Energy and price of an \
      answer go with it, and can be ranked by. Risks to quality are cited, never scored, and what \
      must be measured first is said.

        ridgeline advise --model llama-3-8b --hardware h100-sxm \\
            --input 1024 --output 256 --objective tpot=50ms,ttft=1s
        ridgeline advise --model mixtral-8x7b --hardware hgx-h100 --tp 2 \\
            --traffic azure-conversation --objective tpot=40ms --format csv
      """)

  @OptionGroup var deployment: DeploymentOptions

  @Option(parsing: .unconditional, help: "Prompt tokens of a request; default: the mean of the traffic, or 1024.")
  var input: Int?

  @Option(parsing: .unconditional, help: "Tokens of an answer; default: the mean of the traffic, or 256.")
  var output: Int?

  @Option(help: "Traffic whose mean lengths are taken: a name from 'ridgeline list traffic'.")
  var traffic: String?

  @Option(help: ArgumentHelp("A trace whose mean lengths are taken.", valueName: "file"))
  var trace: String?

  @Option(help: "Latencies to keep: ttft=1s, tpot=50ms, e2e=30s, separated by commas.")
  var objective: String?

  @Option(help: "What is ranked by: rate, energy or price, each of an answer.")
  var by = "rate"

  @Option(parsing: .unconditional, help: "Rows of the table.")
  var top = 12

  @Option(help: "How the ranking is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    guard deployment.techniques.isEmpty else {
      throw UsageError("--with is for predict; advise tries techniques itself")
    }
    guard traffic == nil || trace == nil else { throw UsageError("give --traffic or --trace, not both") }
    let rows = try checked(top, "--top", 1...1000)
    guard let ranking = Advice.Ranking(rawValue: by) else {
      throw UsageError(
        "--by: found '\(by)', expected one of \(Advice.Ranking.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let library = try Library()
    let lengths = try meanLengths(library)
    let question = Advice.Question(
      request: try deployment.request(),
      inputTokens: try checked(input ?? lengths.input, "--input", BatchCase.tokenRange),
      outputTokens: try checked(output ?? lengths.output, "--output", BatchCase.tokenRange),
      objective: try parsedObjective(), ranking: ranking)
    let advice = try Advice(question, library: library)
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(advice.table()))
    case .json: try standardOutput(MachineRenderer.json(advice.table()))
    case .table:
      let head = "Prompts of \(question.inputTokens) tokens, answers of \(question.outputTokens)\n\n"
      try standardOutput(head + TableRenderer.rows(advice.table(limit: rows)) + "\n")
      for note in advice.notes(limit: rows) { try standardOutput("- \(note)\n") }
    }
    for item in advice.refused { standardError("Note: \(item.technique) is left out: \(item.reason)") }
  }

  private func meanLengths(_ library: Library) throws -> (input: Int, output: Int) {
    guard traffic != nil || trace != nil else { return (1024, 256) }
    var scenario = Scenario(name: "lengths", title: "lengths")
    scenario.traffic.origin = trace.map { .trace(path: $0) } ?? traffic.map { .named(Located($0)) }
    scenario.traffic.requests = 5000
    var source = try ScenarioBuilder(library: library).source(scenario)
    var (input, output, count) = (0, 0, 0)
    while count < 5000, let request = try source.next() {
      input += request.inputTokens
      output += request.outputTokens
      count += 1
    }
    guard count > 0 else { throw DataError(file: trace ?? traffic ?? "", problem: "holds no requests") }
    return (max(1, input / count), max(1, output / count))
  }

  private func parsedObjective() throws -> ServiceObjective {
    var (first, next, all): (Seconds?, Seconds?, Seconds?)
    for item in objective?.split(separator: ",") ?? [] {
      let sides = item.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard sides.count == 2 else { throw UsageError("--objective: found '\(item)', expected for example tpot=50ms") }
      let time = try quantity(sides[1], "--objective", TimeDimension.self)
      switch sides[0] {
      case "ttft": first = time
      case "tpot": next = time
      case "e2e": all = time
      default: throw UsageError("--objective: found '\(sides[0])', expected one of ttft, tpot, e2e")
      }
    }
    return ServiceObjective(timeToFirstToken: first, timePerOutputToken: next, endToEnd: all)
  }
}
