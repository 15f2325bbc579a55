import ArgumentParser
import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Reporting
import Store
import Studies

struct SizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size",
    abstract: "Finds the cheapest deployments that meet objectives.",
    discussion: """
      All candidates (tensor, pipeline and expert parallelism, batch limits, \
      precisions, one pool or prompts apart from answers) are priced in closed form; the best of each \
      model and hardware are then replayed by the serving engine, which decides \
      how many replicas there must be. The answer has money, energy, carbon, \
      headroom, what happens at twice the load and with a node down, and \
      commands that start the servers. Where objectives cannot be met it says \
      which binds, and by how much.

        ridgeline size --model llama-3.1-70b --hardware h100-sxm,h200-sxm,mi300x \\
            --traffic chat-short --rate 50 --ttft 1s@p99 --tpot 50ms@p95
        ridgeline size --model llama-3-8b,qwen3-32b --hardware h100-sxm,l40s \\
            --trace requests.csv --e2e 20s --budget '40 USD/h' --site california
      """)

  @Option(help: "Models, separated by commas: names from 'ridgeline list models', or paths.")
  var model: String

  @Option(help: "Devices or systems, separated by commas: names from 'ridgeline list devices' and 'systems', or paths.")
  var hardware: String

  @Option(help: "Serving runtime.")
  var runtime = "vllm-v1"

  @OptionGroup(title: "Traffic") var traffic: TrafficOptions

  @Option(
    name: .customLong("ttft"),
    help: ArgumentHelp("Time to the first token, as 1s or 1s@p95; p99 by default.", valueName: "time[@pNN]"))
  var timeToFirstToken: String?
  @Option(name: .customLong("tpot"), help: ArgumentHelp("Time between tokens, as 50ms@p99.", valueName: "time[@pNN]"))
  var timePerOutputToken: String?
  @Option(name: .customLong("e2e"), help: ArgumentHelp("Arrival to last token, as 20s@p90.", valueName: "time[@pNN]"))
  var endToEnd: String?
  @Option(
    parsing: .unconditional,
    help: "Share of readers who miss at most a tenth of their token deadlines (100 ms, then 50 ms each).")
  var fluidity: Double?

  @Option(help: "Precisions to try, separated by commas: bf16, fp8, fp8-kv, int4-g128.")
  var precisions = "bf16,fp8,fp8-kv,int4-g128"
  @Option(help: "Tensor-parallel degrees to try, separated by commas.")
  var tp = "1,2,4,8"
  @Option(help: "Pipeline-parallel degrees to try, separated by commas.")
  var pp = "1,2,4"
  @Option(
    help:
      "How experts of mixtures are held, separated by commas: split (each over all devices of a stage), spread (whole experts on each)."
  )
  var experts = "split,spread"
  @Option(help: "Layouts to try, separated by commas: aggregated, disaggregated.")
  var layouts = "aggregated,disaggregated"

  @Option(help: ArgumentHelp("Rent that may not be exceeded, such as '40 USD/h'.", valueName: "price")) var budget:
    String?
  @Option(help: ArgumentHelp("Power limits of all devices together that may not be exceeded.", valueName: "power"))
  var power: String?
  @Option(help: "Where it stands: a name from 'ridgeline list sites', for energy, carbon and PUE.") var site = GridSite
    .standard

  @Option(
    parsing: .unconditional,
    help: "Candidates of each model and hardware that are replayed: so many with pipeline stages, and as many without.")
  var shortlist = 2
  @Option(parsing: .unconditional, help: "Requests of each replay.") var requests = 4000

  @OptionGroup(title: "Keeping it") var keep: KeepOptions
  @OptionGroup var pages: PageOptions

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let library = try Library()
    let site = try library.sites().find(site)
    let request = try request(library)
    let keeper = try keep.keeper(library)
    let runner = ScenarioRunner(ScenarioBuilder(library: library)) { !Interrupt.wanted }
    var progress = ProgressBar("", total: 1)
    var stage = ""
    let answer = try interruptible {
      try SizeRunner(request, runner: runner).run { title, done, total in
        if title != stage {
          if !stage.isEmpty { progress.finish(total) }
          (stage, progress) = (title, ProgressBar(title, total: total))
        }
        progress.update(done)
        if done == total, title == "replaying" { progress.finish(total) }
      }
    }
    let speed = Int((Double(answer.candidates) / max(answer.analyticSeconds, 1e-9)).rounded())
    standardError(
      "searched \(groupedDigits(answer.candidates)) candidates in \(Seconds(answer.analyticSeconds)), \(groupedDigits(speed)) a second; "
        + "\(answer.replays) replays in \(Seconds(answer.engineSeconds))")
    let text = SizeText(answer, site, library)
    switch format {
    case .table: try standardOutput(text.text)
    case .csv, .json: try printTable(ResultTableOutput(text.table), format)
    }
    if let keeper { try keep(answer, text, keeper) }
    try pages.write { SizePage(text, command: calledWith()).page }
    if answer.outcomes.allSatisfy({ $0.best == nil }) {
      throw DataError(file: "size", problem: "no deployment meets the objectives; what binds is above")
    }
  }

  private func request(_ library: Library) throws -> SizeRequest {
    var scenario = Scenario(name: "size", title: "")
    try traffic.apply(to: &scenario)
    let objectives = SizeObjectives(
      try [
        objective(timeToFirstToken, "--ttft", .timeToFirstToken),
        objective(timePerOutputToken, "--tpot", .timePerOutputToken),
        objective(endToEnd, "--e2e", .endToEnd),
      ].compactMap { $0 }, fluidShare: try fluidity.map { try checked($0, "--fluidity", 0.5...0.999) })
    var request = SizeRequest(
      models: try list(model, "--model").map { Located($0) },
      hardware: try list(hardware, "--hardware").map { Located($0) },
      runtime: Located(runtime), scenario: scenario, objectives: objectives,
      precisions: try list(precisions, "--precisions").map(precision))
    request.tensorDegrees = try degrees(tp, "--tp")
    request.pipelineDegrees = try degrees(pp, "--pp")
    request.expertLayouts = try choices(experts, "--experts")
    request.layouts = try choices(layouts, "--layouts")
    request.budget = try budget.map { try quantity($0, "--budget", HourlyPriceDimension.self) }
    request.powerBudget = try power.map { try quantity($0, "--power", PowerDimension.self) }
    request.shortlist = try checked(shortlist, "--shortlist", 1...100)
    request.requests = try checked(requests, "--requests", 100...10_000_000)
    return request
  }

  private func degrees(_ text: String, _ option: String) throws -> [Int] {
    try list(text, option).map { text in
      guard let degree = Int(text) else { throw UsageError("\(option): found '\(text)', expected whole numbers") }
      return try checked(degree, option, 1...4096)
    }
  }

  private func choices<Choice: RawRepresentable & CaseIterable>(_ text: String, _ option: String) throws -> [Choice]
  where Choice.RawValue == String {
    try list(text, option).map { text in
      guard let choice = Choice(rawValue: text) else {
        let names = Choice.allCases.map(\.rawValue)
        let hint = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError("\(option): found '\(text)', expected \(names.joined(separator: " or "))\(hint)")
      }
      return choice
    }
  }

  private func list(_ text: String, _ option: String) throws -> [String] {
    let items = text.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init).filter {
      !$0.isEmpty
    }
    guard !items.isEmpty else {
      throw UsageError("\(option): found '\(text)', expected one or more, separated by commas")
    }
    guard Set(items).count == items.count else { throw UsageError("\(option): '\(text)' names one twice") }
    return items
  }

  private func precision(_ text: String) throws -> FormatRequest {
    switch text {
    case "bf16": return FormatRequest()
    case "fp8": return FormatRequest(weights: .fp8, activations: .fp8)
    case "fp8-kv": return FormatRequest(weights: .fp8, activations: .fp8, kv: .fp8)
    default:
      guard let format = NumberFormat(rawValue: text) else {
        throw UsageError(
          "--precisions: unknown '\(text)', expected bf16, fp8, fp8-kv, or a format of weights such as int4-g128")
      }
      return FormatRequest(weights: format)
    }
  }

  private func objective(_ text: String?, _ option: String, _ metric: SizeObjective.Metric) throws -> SizeObjective? {
    guard let text else { return nil }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    var share = 0.99
    if parts.count == 2 {
      guard parts[1].hasPrefix("p"), let percent = Double(parts[1].dropFirst()), (1..<100).contains(percent) else {
        throw UsageError("\(option): found '@\(parts[1])', expected a percentile such as @p99")
      }
      share = percent / 100
    }
    guard parts.count <= 2 else { throw UsageError("\(option): found '\(text)', expected a time such as 1s@p99") }
    return SizeObjective(metric, within: try time(parts[0], option), share: share)
  }

  private func keep(_ answer: SizeAnswer, _ text: SizeText, _ keeper: RunKeeper) throws {
    for outcome in answer.outcomes {
      guard let best = outcome.best else { continue }
      let record = text.record(outcome, best, keeper.recorder)
      try keeper.add(record)
    }
  }
}
