import ArgumentParser
import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Reporting
import Studies

struct EnergyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "energy",
    abstract: "Says where energy goes, and which knobs save it.",
    discussion: """
      Joules a token by component; power over time; curves over core clock and power cap with \
      the knee where a token costs least under the objectives; tensor \
      parallelism and batch as knobs; a fleet over a day with idle power, \
      carbon by the hour, and what machines and power cost. The clock moves \
      compute and, with the square of the voltage, power; memory keeps its own.

        ridgeline energy --model llama-3-8b --hardware h100-sxm --batch 32 \\
            --input 1024 --output 256 --tpot 20ms
        ridgeline energy --model llama-3-8b --hardware h100-sxm --batch 32 \\
            --rate 100 --site california --scales --show fleet --format csv
      """)

  /// The tables there are.
  enum Table: String, ExpressibleByArgument, CaseIterable { case parts, power, clocks, caps, knobs, fleet }

  @OptionGroup(title: "What serves") var deployment: DeploymentOptions
  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 16
  @Option(parsing: .unconditional, help: "Prompt tokens of each sequence.") var input = 1024
  @Option(parsing: .unconditional, help: "Tokens each sequence generates.") var output = 256
  @Option(name: .customLong("ttft"), help: ArgumentHelp("What the first token may take.", valueName: "time"))
  var timeToFirstToken: String?
  @Option(name: .customLong("tpot"), help: ArgumentHelp("What a decode step may take.", valueName: "time"))
  var timePerOutputToken: String?
  @Option(parsing: .unconditional, help: "Mean requests a second of a fleet over a day.") var rate: Double?
  @Option(parsing: .unconditional, help: "How far the day's peak is above its mean, as a share.") var amplitude = 0.6
  @Option(parsing: .unconditional, help: "Hour of the peak.") var peakHour = 15.0
  @Flag(help: "Switch off replicas that an hour does not need.") var scales = false
  @Option(help: "Where the fleet stands: a name from 'ridgeline list sites', or a path.") var site = GridSite.standard
  @Option(help: "Only this table: parts, power, clocks, caps, knobs or fleet. csv and json hold one; parts by default.")
  var show: Table?
  @Option(help: "How the result is written: table, csv or json.") var format = OutputFormat.table
  @OptionGroup var pages: PageOptions

  func run() throws {
    let library = try Library()
    let request = try deployment.request()
    let deployed = try library.deployment(request)
    let batch = BatchCase(
      sequences: try checked(batch, "--batch", BatchCase.sequenceRange),
      inputTokens: try checked(input, "--input", BatchCase.tokenRange),
      outputTokens: try checked(output, "--output", BatchCase.tokenRange))
    var study = EnergyStudy(deployed, batch)
    study.mostFirstToken = try timeToFirstToken.map { try time($0, "--ttft") }
    study.mostTimePerToken = try timePerOutputToken.map { try time($0, "--tpot") }
    for note in deployed.notes { standardError("Note: \(note)") }
    let prediction = try Predictor(deployed).predict(batch)
    let text = EnergyText(
      study, prediction, knobs: knobs(study, request, library), fleet: try fleet(study, prediction, library))
    if show == .fleet, rate == nil { throw UsageError("--show fleet needs --rate, the mean requests a second") }
    try pages.write { EnergyPage(text, command: calledWith()).page }
    if format != .table || show != nil {
      return try printTable(ResultTableOutput(text.table(show ?? .parts)), format)
    }
    try standardOutput(text.text)
  }

  private func knobs(_ study: EnergyStudy, _ request: Library.Request, _ library: Library) -> [EnergyStudy.Point] {
    let degree = request.parallelism.tensor
    let sequences = [1, 4, 16, 64, 256].map { $0 * study.deployment.parallelism.data }
    return study.knobs(tensors: [1, 2, 4, 8].filter { $0 <= max(8, degree) }, sequences: sequences) { tensor in
      var request = request
      request.parallelism.tensor = tensor
      // A degree that the model or the platform does not have is no knob.
      return try? library.deployment(request)
    }
  }

  private func fleet(_ study: EnergyStudy, _ prediction: Prediction, _ library: Library) throws -> FleetDay? {
    guard let rate else { return nil }
    var settings = FleetDay.Settings(rate: try checked(rate, "--rate", 1e-6...1e6))
    settings.amplitude = try checked(amplitude, "--amplitude", 0...0.99)
    settings.peak = try checked(peakHour, "--peak-hour", 0...24)
    settings.scales = scales
    return FleetDay(study.deployment, study.batch, prediction, settings, site: try library.sites().find(site))
  }
}

/// Energy in words and rows.
struct EnergyText {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let study: EnergyStudy
  let prediction: Prediction
  let knobs: [EnergyStudy.Point]
  let fleet: FleetDay?

  init(_ study: EnergyStudy, _ prediction: Prediction, knobs: [EnergyStudy.Point], fleet: FleetDay?) {
    self.study = study
    self.prediction = prediction
    self.knobs = knobs
    self.fleet = fleet
  }

  func table(_ which: EnergyCommand.Table) -> ResultTable {
    switch which {
    case .parts: parts
    case .power: power
    case .clocks: points(study.clocks())
    case .caps: points(study.caps())
    case .knobs: points(knobs)
    case .fleet: hours
    }
  }

  var text: String {
    var text = summary
    text += "\n\nWhere it goes, an output token\n" + TableRenderer.rows(parts)
    text += "\nPower over time, all devices\n" + TableRenderer.rows(power)
    text += "\nCore clock\n" + TableRenderer.rows(points(thinned(study.clocks()))) + knee(study.clocks(), "clock")
    text += "\nPower cap\n" + TableRenderer.rows(points(study.caps())) + knee(study.caps(), "cap")
    text += "\nTensor parallelism and batch\n" + TableRenderer.rows(points(knobs)) + knee(knobs, "setting")
    if let fleet { text += "\n" + fleetText(fleet) }
    return text
  }

  /// What a token costs, with the interval.
  var summary: String {
    let deployment = study.deployment
    let tokens = Double(study.batch.sequences * study.batch.outputTokens)
    var text =
      "\(deployment.model.name) on \(deployment.parallelism.devices) \(deployment.platform.name), a batch of "
      + "\(study.batch.sequences) x (\(study.batch.inputTokens) + \(study.batch.outputTokens)) tokens: "
      + "\(prediction.energy / tokens) an output token, \(prediction.power) on average"
    if let factor = deployment.energyIntervalFactor(for: study.batch) {
      text +=
        " (\(Cell.number(deployment.intervals.level ?? 0.9).text(style: .percent)) of measurements within "
        + "\(prediction.energy / tokens / factor) to \(prediction.energy / tokens * factor))"
    }
    return text
  }

  private func thinned(_ points: [EnergyStudy.Point]) -> [EnergyStudy.Point] {
    points.indices.filter { $0 % 3 == 0 || $0 == points.count - 1 }.map { points[$0] }
  }

  private var parts: ResultTable {
    var table = ResultTable(columns: [
      Column("component"), Column("prompts_j", heading: "prompts", style: .energy),
      Column("answers_j", heading: "answers", style: .energy), Column("share", style: .percent),
    ])
    guard let (prompts, answers) = study.parts() else { return table }
    let tokens = Double(study.batch.sequences * study.batch.outputTokens)
    let total = (prompts + answers).total
    for (prompt, answer) in zip(prompts.named, answers.named) {
      table.append([
        .text(prompt.name), .number(prompt.energy.value / tokens), .number(answer.energy.value / tokens),
        .number((prompt.energy + answer.energy) / total),
      ])
    }
    table.append([
      .text("total"), .number(prompts.total.value / tokens), .number(answers.total.value / tokens), .number(1),
    ])
    return table
  }

  private var power: ResultTable {
    var table = ResultTable(columns: [
      Column("from_s", heading: "from", style: .time), Column("to_s", heading: "to", style: .time), Column("phase"),
      Column("power_w", heading: "power", style: .power),
    ])
    for stretch in study.powerOverTime() {
      table.append([Cell(stretch.from), Cell(stretch.to), .text(stretch.phase.rawValue), Cell(stretch.power)])
    }
    return table
  }

  private func points(_ points: [EnergyStudy.Point]) -> ResultTable {
    let top = study.deployment.platform.device.power.clockMaximum
    var table = ResultTable(columns: [
      Column("clock", heading: "clock", style: .percent), Column("clock_hz", heading: "clock_hz"),
      Column("power_cap_w", heading: "cap", style: .power),
      Column("tp"), Column("batch_size", heading: "batch"), Column("ttft_s", heading: "TTFT", style: .time),
      Column("tpot_s", heading: "TPOT", style: .time),
      Column("output_tokens_per_s", heading: "output tokens", style: .rate),
      Column("energy_per_output_token_j", heading: "energy a token", style: .energy),
      Column("power_w", heading: "mean power", style: .power), Column("meets", heading: "objectives"),
    ])
    for point in points {
      table.append([
        .number(point.clock), Cell(top.map { $0.value * point.clock }), Cell(point.cap), .int(point.tensor),
        .int(point.sequences),
        Cell(point.firstToken), Cell(point.perToken), .number(point.tokensPerSecond), Cell(point.energyPerToken),
        Cell(point.power), .text(point.meets ? "kept" : "missed"),
      ])
    }
    return table
  }

  /// The knee of a curve in words.
  func knee(_ points: [EnergyStudy.Point], _ knob: String) -> String {
    guard let best = EnergyStudy.knee(points), let last = points.last else {
      return "No \(knob) keeps the objectives.\n"
    }
    let saved = Cell.number(1 - best.energyPerToken / last.energyPerToken).text(style: .percent)
    let slower = Cell.number(best.perToken / last.perToken - 1).text(style: .percent)
    switch knob {
    case "clock":
      return
        "Least energy at \(Cell.number(best.clock).text(style: .percent)) of the clock: \(best.energyPerToken) a token, "
        + "\(saved) less than at the highest, with tokens \(slower) slower.\n"
    case "cap":
      return
        "Least energy under a cap of \(best.cap?.description ?? "-"): \(best.energyPerToken) a token, \(saved) less, "
        + "with tokens \(slower) slower.\n"
    default:
      return "Least energy with tp\(best.tensor) and a batch of \(best.sequences): \(best.energyPerToken) a token.\n"
    }
  }

  // MARK: Fleet

  private var hours: ResultTable {
    var table = ResultTable(columns: [
      Column("hour"), Column("rate_per_s", heading: "rate", style: .rate), Column("replicas"),
      Column("utilisation", style: .percent), Column("power_w", heading: "machines", style: .power),
      Column("kwh", heading: "kWh"), Column("kgco2e", heading: "kgCO2e"),
    ])
    for hour in fleet?.hours ?? [] {
      table.append([
        .int(hour.hour), .number(hour.rate), .int(hour.replicas), .number(hour.utilisation), Cell(hour.power),
        .number(hour.kilowattHours), .number(hour.kilograms),
      ])
    }
    return table
  }

  func fleetText(_ fleet: FleetDay) -> String {
    "A day at \(fleet.site.title): \(fleet.replicas) replicas, \(fleet.devices) devices\n" + TableRenderer.rows(hours)
      + fleetWords(fleet).map { $0 + "\n" }.joined()
  }

  /// What the day comes to, in sentences.
  func fleetWords(_ fleet: FleetDay) -> [String] {
    func number(_ value: Double) -> String { roundedText(value, significantDigits: 3) }
    func money(_ value: Double) -> String { Cell.number(value).text(style: .money) }
    var words = [
      "\(number(fleet.kilowattHours)) kWh and \(number(fleet.kilograms)) kgCO2e a day, \(Joules(fleet.joulesPerToken)) an output token "
        + "with idling and cooling; \(Cell.number(fleet.idleShare).text(style: .percent)) of the machines' energy is idle power."
    ]
    if let cost = fleet.ownership {
      words.append(
        "Owning it costs \(money(cost.capital + cost.power)) a day (machines \(money(cost.capital)), power \(money(cost.power))): "
          + "\(money(fleet.perMillionTokens(cost.capital + cost.power))) for a million output tokens.")
    }
    if let rent = fleet.rentPerDay {
      words.append(
        "Renting it costs \(money(rent)) a day: \(money(fleet.perMillionTokens(rent))) for a million output tokens.")
    }
    return words
  }
}
