import ArgumentParser
import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import Quantities
import Reporting
import Studies

struct RequireCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "require",
    abstract: "Says what a platform must be able to do: the inverse of a prediction.",
    discussion: """
      For a batch and objectives: the compute, memory bandwidth, capacity and \
      link that each device needs, with the efficiencies of a kind of device \
      that exists. 'alone' is the least of one number with all others as they \
      are, 'at least' the least were all others without limit, 'balanced' a \
      platform that just does it. --parameters and --context grow a model to \
      one that does not exist yet. --iso writes pairs of compute and bandwidth \
      that perform alike.

        ridgeline require --model llama-3.1-70b --hardware h100-sxm --tp 4 \\
            --batch 64 --input 4096 --output 512 --ttft 5s --tpot 30ms
        ridgeline require --model deepseek-v3 --parameters 10T --context 10000000 \\
            --hardware gb200-nvl72 --tp 64 --ep 64 --batch 8 --input 1000000 \\
            --output 1000 --tpot 50ms
      """)

  @OptionGroup(title: "What serves") var deployment: DeploymentOptions
  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 1
  @Option(parsing: .unconditional, help: "Prompt tokens of each sequence.") var input = 1024
  @Option(parsing: .unconditional, help: "Tokens each sequence generates.") var output = 256
  @Option(
    name: .customLong("ttft"),
    help: ArgumentHelp("Objective: until every sequence has its first token.", valueName: "time"))
  var timeToFirstToken: String?
  @Option(name: .customLong("tpot"), help: ArgumentHelp("Objective: mean time of a decode step.", valueName: "time"))
  var timePerOutputToken: String?
  @Option(name: .customLong("e2e"), help: ArgumentHelp("Objective: until the last token.", valueName: "time"))
  var endToEnd: String?
  @Option(help: ArgumentHelp("Objective: weights come from storage within this time.", valueName: "time")) var loading:
    String?
  @Option(help: ArgumentHelp("Grow the model to so many parameters: 500B, 10T.", valueName: "count")) var parameters:
    String?
  @Option(parsing: .unconditional, help: ArgumentHelp("Positions of the grown model.", valueName: "tokens"))
  var context: Int?
  @Flag(help: "Write the iso-performance curve in place of the needs.") var iso = false
  @Option(help: "How the result is written: table, csv or json.") var format = OutputFormat.table
  @OptionGroup var pages: PageOptions

  func run() throws {
    let batch = BatchCase(
      sequences: try checked(batch, "--batch", BatchCase.sequenceRange),
      inputTokens: try checked(input, "--input", BatchCase.tokenRange),
      outputTokens: try checked(output, "--output", BatchCase.tokenRange))
    var objectives = Requirement.Objectives()
    objectives.firstToken = try timeToFirstToken.map { try time($0, "--ttft") }
    objectives.perToken = try timePerOutputToken.map { try time($0, "--tpot") }
    objectives.endToEnd = try endToEnd.map { try time($0, "--e2e") }
    objectives.loading = try loading.map { try time($0, "--loading") }
    guard objectives.firstToken != nil || objectives.perToken != nil || objectives.endToEnd != nil else {
      throw UsageError("nothing is asked of the platform: give --ttft, --tpot or --e2e")
    }
    let deployment = try deployed(try Library())
    try checkLength(batch, deployment)
    for note in deployment.notes { standardError("Note: \(note)") }
    let requirement = Requirement(deployment, batch, objectives)
    let text = RequirementText(requirement)
    try pages.write { RequirementPage(text, command: calledWith()).page }
    if iso { return try printTable(ResultTableOutput(text.isoTable), format) }
    guard format == .table else { return try printTable(ResultTableOutput(text.table), format) }
    try standardOutput(ResultTableOutput(text.readable, heading: text.heading, footing: text.footing).text)
  }

  private func deployed(_ library: Library) throws -> Deployment {
    let request = try deployment.request()
    guard parameters != nil || context != nil else { return try library.deployment(request) }
    let model = try HypotheticalModel.grown(
      configPath(request.model, library), name: request.model + ", grown", parameters: try parameters.map(count),
      context: try context.map { try checked($0, "--context", 2...1_000_000_000) })
    standardError(
      "Note: the grown model has \(text(model.parameterCount)) parameters in \(model.decoder.layerCount) layers")
    return try library.deployment(request, of: model)
  }

  private func configPath(_ name: String, _ library: Library) throws -> String {
    if name.hasSuffix(".json") { return name }
    return "\(library.folder)/Workloads/Models/\(try library.models.find(name).name)/config.json"
  }

  /// A count with k, M, B (or G) or T after it.
  private func count(_ text: String) throws -> Double {
    let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12]
    let factor = text.last.flatMap { factors[$0] }
    guard let number = Double(factor == nil ? text : String(text.dropLast())),
      (1e6...1e16).contains(number * (factor ?? 1))
    else {
      throw UsageError("--parameters: found '\(text)', expected a count from 1M to 10,000T such as 10T")
    }
    return number * (factor ?? 1)
  }

  private func text(_ parameters: Int) -> String {
    roundedText(Double(parameters) / 1e9, significantDigits: 4) + " billion"
  }

  private func checkLength(_ batch: BatchCase, _ deployment: Deployment) throws {
    let tokens = batch.inputTokens + batch.outputTokens
    guard let limit = deployment.model.contextLimit, tokens > limit else { return }
    throw UsageError(
      "\(tokens) tokens exceed the \(limit) positions of \(deployment.model.name); --context gives it more")
  }
}

/// What a requirement says, in words and rows.
struct RequirementText {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let requirement: Requirement
  let needs: [Requirement.Need]

  init(_ requirement: Requirement) {
    self.requirement = requirement
    needs = requirement.needs()
  }

  var heading: String {
    let deployment = requirement.deployment
    var text =
      "\(deployment.model.name) on \(deployment.parallelism.devices) devices like \(deployment.platform.name), in "
      + "\(deployment.plan.formats.compute.rawValue); a batch of \(requirement.batch.sequences) x "
      + "(\(requirement.batch.inputTokens) + \(requirement.batch.outputTokens)) tokens\n"
    guard let reached = requirement.reached() else {
      return text + "As it is the batch does not fit: capacity binds.\n\n"
    }
    for item in reached {
      let load = Cell.number(item.value / item.limit).text(style: .percent)
      text += "As it is: \(item.name) \(item.value), \(load) of the limit of \(item.limit)\n"
    }
    return text + "\n"
  }

  /// The rows for people.
  var readable: ResultTable {
    var table = ResultTable(columns: [
      Column("a device's"), Column("has"), Column("alone"), Column("at least"), Column("balanced"), Column("binds"),
    ])
    for need in needs {
      func cell(_ value: Double?) -> Cell { Cell(value.map { text(need.number, $0) }) }
      table.append([
        .text(need.number.title), cell(need.has), cell(need.alone), cell(need.floor), cell(need.balanced),
        .text(need.binds ? "yes" : "no"),
      ])
    }
    return table
  }

  /// A row for each number, in base units.
  var table: ResultTable {
    var table = ResultTable(columns: [
      Column("number"), Column("unit"), Column("has"), Column("alone"), Column("at_least", heading: "at least"),
      Column("balanced"), Column("binds"),
    ])
    for need in needs {
      table.append([
        .text(need.number.rawValue), .text(unit(need.number)), .number(need.has), Cell(need.alone), Cell(need.floor),
        Cell(need.balanced), .text(need.binds ? "yes" : "no"),
      ])
    }
    return table
  }

  private func unit(_ number: HardwareNumber) -> String {
    switch number {
    case .compute: "FLOP/s"
    case .memoryCapacity: "B"
    default: "B/s"
    }
  }

  private func text(_ number: HardwareNumber, _ value: Double) -> String {
    switch number {
    case .compute: FLOPsPerSecond(value).description
    case .memoryCapacity: Bytes(value).description
    default: BytesPerSecond(value).description
    }
  }

  var footing: String {
    var text = "\n"
    let binding = needs.filter(\.binds)
    if binding.isEmpty {
      text +=
        requirement.isMet
        ? "Nothing binds: the platform as it is keeps the objectives.\n"
        : "No number binds by itself; together they fall short.\n"
    }
    for need in binding {
      guard let floor = need.floor else {
        text += "\(need.number.title): no amount would do.\n"
        continue
      }
      let more = roundedText(floor / max(need.has, 1e-30), significantDigits: 3)
      text +=
        "\(need.number.title) binds: at least \(self.text(need.number, floor)) a device, \(more) times what there is"
      text += need.alone == nil ? ", and it would not do alone.\n" : ".\n"
    }
    let balanced = needs.compactMap { need in need.balanced.map { "\(need.number.title) \(self.text(need.number, $0))" }
    }
    text +=
      balanced.count == needs.count
      ? "A balanced platform that just does it has, a device: \(balanced.joined(separator: ", ")).\n"
      : "No platform of this kind keeps the objectives, however fast: fixed costs (starts, latencies, the host) exceed them.\n"
    if let storage = requirement.storage {
      text += "Storage: \(storage.rate) and \(storage.room) for each device, to load the weights in time.\n"
    }
    if let level = requirement.deployment.intervals.level,
      let factor = requirement.deployment.intervalFactor(.perToken, for: requirement.batch)
    {
      let share = Cell.number(level).text(style: .percent)
      text +=
        "\(share) of measurements lie within a factor of \(roundedText(factor, significantDigits: 3)) of such times; rates are as uncertain.\n"
    }
    return text
  }

  var isoTable: ResultTable {
    var table = ResultTable(columns: [
      Column("compute_flops_per_s", style: .computeRate), Column("memory_bandwidth_b_per_s", style: .bandwidth),
    ])
    for point in requirement.isoCurve() { table.append([.number(point.compute), .number(point.bandwidth)]) }
    return table
  }
}
