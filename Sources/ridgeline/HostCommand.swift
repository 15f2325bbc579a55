import ArgumentParser
import CostModels
import Documents
import Execution
import Foundation
import HostStudy
import Quantities
import ReferenceEngine
import Reporting

/// Checks predictions on the machine at hand, against engines that truly run.
struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host",
    abstract: "Measures this machine, predicts it, and compares.",
    discussion: """
      Ridgeline carries a small real engine that runs Llama-like models on this \
      machine's cores. 'make host-check' does all of the following:

        ridgeline host calibrate
        ridgeline host validate --report Reports/Accuracy
        ridgeline host serve-check --gguf model.gguf
        ridgeline host tokens --gguf model.gguf --reference tokens.json
      """,
    subcommands: [
      HostCalibrateCommand.self, HostValidateCommand.self, HostServeCheckCommand.self, HostTokensCommand.self,
    ])
}

/// Where the host's files are, and what is measured.
struct HostOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Folder of the host's device, runtime and calibration files.", valueName: "folder"))
  var folder = "out/host"

  @Option(help: "What the host's devices are called.")
  var name = "host"

  @Option(help: "Numbers of threads, such as 1,2; default: 1 and all cores.")
  var threads: String?

  @Option(help: "Formats of weights, such as f32,q4_1; default: all.")
  var formats: String?

  @Option(help: "Rounds of interleaved repeats, 1 to 100.")
  var rounds = 2

  @Flag(help: "Measure every shape in every format on every number of threads, not a sample of them.")
  var thorough = false

  @Option(help: "Longest prompt measured, 16 to 2048 tokens.")
  var longest = 2048

  @Option(help: ArgumentHelp("Also write all that was measured into this folder.", valueName: "folder"))
  var keep: String?

  @Option(help: ArgumentHelp("Measure nothing: take what --keep wrote into this folder.", valueName: "folder"))
  var measured: String?

  var files: HostFiles { HostFiles(folder: folder, name: name) }

  func checkedThreads() throws -> [Int] {
    let cores = HostFacts().cores
    guard let threads else { return cores > 1 ? [1, cores] : [1] }
    let counts = try threads.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let count = Int(text), (1...1024).contains(count) else {
        throw UsageError("--threads: found '\(text)', expected whole numbers from 1 to 1024, such as 1,2")
      }
      return count
    }
    return Array(Set(counts)).sorted()
  }

  func checkedFormats() throws -> [WeightFormat] {
    guard let formats else { return WeightFormat.allCases }
    let names = WeightFormat.allCases.map(\.rawValue)
    return try formats.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let format = WeightFormat(rawValue: String(text)) else {
        throw UsageError("--formats: unknown format '\(text)', expected some of \(names.joined(separator: ", "))")
      }
      return format
    }
  }

  func checkedRounds() throws -> Int { try checked(rounds, "--rounds", 1...100) }

  func steps() throws -> [HostStep] {
    let longest = try checked(longest, "--longest", 16...2048)
    return HostStep.grid.filter {
      if case .prefill(let tokens) = $0 { tokens <= longest } else { true }
    }
  }

  /// Measures models on this machine, or reads what was measured of them before.
  func measurement(_ shapes: [HostShape]) throws -> HostMeasurement {
    let (threads, formats, steps) = (try checkedThreads(), try checkedFormats(), try steps())
    if let measured { return try kept(measured, threads, formats, steps) }
    let (facts, rounds) = (HostFacts(), try checkedRounds())
    if let most = threads.last, most > facts.cores {
      throw UsageError("--threads: found \(most), expected at most \(facts.cores): this machine has no more cores")
    }
    standardError("measuring the machine")
    var result = HostMeasurement(facts: facts, machine: try MachineMeasurement(threads: threads), samples: [])
    for count in threads {
      var bench = HostBench(threads: count, rounds: rounds)
      bench.progress = { standardError($0) }
      for (index, format) in formats.enumerated() where thorough || count == threads[0] || index % 3 == 0 {
        let chosen = thorough ? shapes.map { $0.deep(for: format) } : HostShape.chosen(shapes, for: format)
        result.samples += try bench.run(chosen, format, steps: steps)
        if let keep { try result.write(folder: keep) }
      }
    }
    return result
  }

  private func kept(
    _ folder: String, _ threads: [Int], _ formats: [WeightFormat], _ steps: [HostStep]
  ) throws -> HostMeasurement {
    guard keep == nil else { throw UsageError("--keep and --measured exclude one another") }
    var result = try HostMeasurement(folder: folder)
    let known = Set(steps)
    result.samples = result.samples.filter {
      threads.contains($0.threads) && formats.contains($0.format) && known.contains($0.step)
    }
    guard !result.samples.isEmpty else {
      throw DataError(file: folder + "/samples.csv", problem: "has no sample of these threads, formats and steps")
    }
    return result
  }
}

struct HostCalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measures this machine and writes its device file with calibrations.",
    discussion: """
      Measures arithmetic in registers, reading by size of what is read, latencies \
      and the cost of starting threads; runs the reference engine over a grid of \
      models and steps; fits calibrations to them; and says how noisy it all was. \
      Takes some minutes; nothing else should run. Each format sees half of the \
      models, and on more threads than the first number a third of the formats \
      is measured; --thorough measures all.

        ridgeline host calibrate
        ridgeline host calibrate --threads 1 --formats f32,q4_1 --rounds 5
      """)

  @OptionGroup var options: HostOptions

  @OptionGroup var day: DateOption

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let (threads, formats) = (try options.checkedThreads(), try options.checkedFormats())
    let library = try Library()
    let date = try day.resolved()
    let measurement = try options.measurement(HostShape.fitted)
    let calibration = HostRecalibration(options: options, date: date)
    try calibration.begin(measurement, threads, formats)
    var table = ResultTable(columns: [
      ResultTable.Column("calibration"), ResultTable.Column("steps", style: .count),
      ResultTable.Column("median_error", heading: "median error", style: .percent),
      ResultTable.Column("noise", heading: "noise floor", style: .percent),
    ])
    for count in threads {
      for row in try calibration.fit(measurement, count, formats) { table.append(row) }
    }
    try standardOutput(format.render(table))
    standardError("wrote \(options.folder)/Devices, Runtimes and Calibrations")
  }
}

struct HostValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Runs the reference engine and compares with what the host's files predict.",
    discussion: """
      Measures two sets of model shapes in turn, a sample of them as 'calibrate' \
      does; fits calibrations to the first, predicts every step of the second from \
      the files, and prints errors by operator and phase beside the noise of the \
      measurement. With --as-calibrated the files stay as they are. With --gguf the \
      engine also runs beside llama.cpp and OpenBLAS (--python), serves a trace, and \
      predicts llama.cpp.

        ridgeline host validate --threads 1
        ridgeline host validate --report Reports/Accuracy --gguf model.gguf \\
            --python out/host/venv/bin/python --reference tokens.json
      """)

  @OptionGroup var options: HostOptions

  @Flag(help: "Predict from the files as 'calibrate' left them, however long ago.")
  var asCalibrated = false

  @Option(help: ArgumentHelp("Also write a page with plots into this folder.", valueName: "folder"))
  var report: String?

  @Option(help: ArgumentHelp("Also write every operator of every step here.", valueName: "file.csv"))
  var rows: String?

  @Option(help: ArgumentHelp("SmolLM2-135M as GGUF, for the comparisons with others.", valueName: "file.gguf"))
  var gguf: String?

  @Option(help: ArgumentHelp("Python with llama-cpp-python and NumPy.", valueName: "program"))
  var python: String?

  @Option(help: ArgumentHelp("Greedy tokens of another engine to compare with.", valueName: "tokens.json"))
  var reference: String?

  @OptionGroup var day: DateOption

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let (threads, formats) = (try options.checkedThreads(), try options.checkedFormats())
    let library = try Library()
    let date = try day.resolved()
    let predictor = HostPredictor(files: options.files, shipped: library.calibrations)
    for count in threads {
      for format in formats where asCalibrated && (options.thorough || count == threads[0]) {
        _ = try options.files.calibration(format, count)
      }
    }
    let measurement = try options.measurement((asCalibrated ? [] : HostShape.fitted) + HostShape.scored)
    if !asCalibrated {
      let calibration = HostRecalibration(options: options, date: date)
      try calibration.begin(measurement, threads, formats)
      for count in threads { try calibration.fit(measurement, count, formats) }
    }
    let scored = measurement.samples.filter { !$0.shape.isFitted }
    let memory = try formats.filter { format in
      measurement.samples.contains { $0.format == format && $0.threads == threads[0] }
    }.map { try memoryCheck(predictor, $0, threads[0]) }
    var page = HostReport(
      measurement: measurement, comparison: try HostComparison(scored, predictor: predictor), threads: threads,
      date: date)
    page.memory = memory
    if let gguf { try compare(&page, gguf, predictor, library) }
    try standardOutput(format.render(page.summary))
    if let side = page.side { try standardOutput("\n" + format.render(page.sideTable(side))) }
    if let serving = page.serving { try standardOutput("\n" + format.render(HostReport.servingTable(serving))) }
    if let rows { try HostFiles.write(MachineRenderer.csv(page.rows), rows) }
    if let report { try write(page, report) }
  }

  private func compare(_ page: inout HostReport, _ gguf: String, _ predictor: HostPredictor, _ library: Library) throws
  {
    let (model, _) = try EngineModel.gguf(path: gguf)
    if let reference {
      page.tokens = try HostTokensCommand.compare(gguf: gguf, reference: reference)
    }
    let deployment = try predictor.deployment(model.shape.model, model.formats, .q4One, threads: 1)
    page.serving = try HostServeCheckCommand.check(model, deployment, requests: 24, load: 0.6, seed: 1)
    guard let python else { return }
    let foreign = ForeignEngine(python: python, scripts: library.folder + "/Hardware/Measure")
    let side = try SideBySide(foreign, gguf: gguf, rounds: options.checkedRounds()) { standardError($0) }
    page.side = side
    page.foreign = try ForeignFit(
      side.llama.map { ForeignEngine.Point(step: $0.step, seconds: $0.theirs) }, deployment: deployment)
  }

  private func memoryCheck(_ predictor: HostPredictor, _ format: WeightFormat, _ threads: Int) throws -> MemoryCheck {
    let (shape, tokens) = (HostShape.chosen(HostShape.scored, for: format)[0], 256)
    return try MemoryCheck(shape, format, tokens: tokens) { model in
      let deployment = try predictor.deployment(model.shape.model, model.formats, format, threads: threads)
      let footprint = deployment.graph.footprint
      return footprint.weights + footprint.sequence(tokens: tokens)
        + deployment.graph.liveActivations(tokens: tokens, sampled: 1)
    }
  }

  private func write(_ page: HostReport, _ folder: String) throws {
    for (name, text) in [("host.md", page.page)] + page.plots {
      try HostFiles.write(text, "\(folder)/\(name)")
      standardError("wrote \(folder)/\(name)")
    }
  }
}

struct HostServeCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-check",
    abstract: "Serves a short trace with the real engine and with the simulator.",
    discussion: """
      Requests arrive at random; the reference engine batches them continuously, \
      and the simulator replays them under the same policy with the host's files. \
      Prints how far TTFT, TPOT and E2E of single requests lie apart. The clock is \
      the time that steps take, so idle time costs nothing.

        ridgeline host serve-check --gguf model.gguf
        ridgeline host serve-check --gguf model.gguf --requests 100 --load 0.9
      """)

  @OptionGroup var options: HostOptions

  @Option(help: ArgumentHelp("Model to serve, a GGUF file of Q4_1 weights.", valueName: "file.gguf"))
  var gguf: String

  @Option(help: "Requests, 1 to 100000.")
  var requests = 40

  @Option(help: "Share of the engine's own capacity that arrives, 0.05 to 2.")
  var load = 0.6

  @Option(help: "Seed of arrivals, lengths and tokens.")
  var seed: UInt64 = 1

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let count = try checked(requests, "--requests", 1...100_000)
    let load = try checked(load, "--load", 0.05...2)
    let library = try Library()
    let (model, _) = try EngineModel.gguf(path: gguf)
    let predictor = HostPredictor(files: options.files, shipped: library.calibrations)
    let deployment = try predictor.deployment(model.shape.model, model.formats, .q4One, threads: 1)
    let outcome = try Self.check(model, deployment, requests: count, load: load, seed: seed)
    try standardOutput(format.render(HostReport.servingTable(outcome)))
    let batches = outcome.batches
    standardError(
      "sequences that decode, mean over time: \(batches.measured) measured, \(batches.predicted) predicted, "
        + "\(batches.difference) apart")
  }

  /// Arrivals at a share of what one request after another would take.
  static func check(
    _ model: EngineModel, _ deployment: Deployment, requests: Int, load: Double, seed: UInt64
  ) throws -> ServeCheck.Outcome {
    let engine = Engine(model, cacheBlocks: 40 * EngineServer.mostSequences, pool: try WorkerPool())
    engine.cache.fill(seed: 1)
    engine.reserve(EngineServer.budget)
    let mean = BatchCase(sequences: 1, inputTokens: 143, outputTokens: 52)
    let alone = try Predictor(deployment).predict(mean).endToEnd.value
    // Requests that run together share the reading of weights, so that capacity is some times that of one at a time.
    let rate = load * 2 / alone
    let list = ServeCheck.requests(count: requests, rate: rate, vocabulary: model.shape.vocabulary, seed: seed)
    return try ServeCheck(deployment).run(engine, list)
  }
}

struct HostTokensCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokens",
    abstract: "Compares the engine's greedy tokens and logits with another engine's.",
    discussion: """
      Computes in f32 on the weights of a GGUF file. The other engine's tokens come \
      from Hardware/Measure/llama_tokens.py.

        ridgeline host tokens --gguf SmolLM2-135M-Instruct.Q4_1.gguf \\
            --reference Tests/ReferenceEngineTests/SmolLM2Tokens.json
      """)

  @Option(help: ArgumentHelp("Model to run.", valueName: "file.gguf"))
  var gguf: String

  @Option(help: ArgumentHelp("The other engine's prompts, tokens and logits.", valueName: "tokens.json"))
  var reference: String

  @Option(help: "How the result is written: table, csv or json.")
  var format = OutputFormat.table

  func run() throws {
    let (_, outcomes) = try Self.compare(gguf: gguf, reference: reference)
    var table = ResultTable(columns: [
      ResultTable.Column("prompt"), ResultTable.Column("equal", style: .count),
      ResultTable.Column("compared", style: .count), ResultTable.Column("logit_difference"),
    ])
    for outcome in outcomes {
      table.append([
        .text(String(outcome.text.prefix(40)).replacing("\n", with: " ")), .int(outcome.agreeing),
        .int(outcome.compared),
        .number(outcome.largestDifference),
      ])
    }
    try standardOutput(format.render(table))
    guard outcomes.allSatisfy({ $0.agreeing == $0.compared }) else {
      throw DataError(file: reference, problem: "has tokens that this engine does not give")
    }
  }

  static func compare(gguf: String, reference: String) throws -> (engine: String, outcomes: [TokenCheck.Outcome]) {
    let expected = try TokenReference.read(path: reference)
    let (model, _) = try EngineModel.gguf(path: gguf, formats: .init(projections: .f32, tables: .f32))
    let outcomes = try TokenCheck(reference: expected).run(model, pool: WorkerPool())
    return (expected.engine, outcomes)
  }
}

extension OutputFormat {
  /// A table as this format writes it.
  fileprivate func render(_ table: ResultTable) -> String {
    switch self {
    case .csv: MachineRenderer.csv(table)
    case .json: MachineRenderer.json(table)
    case .table: TableRenderer.rows(table)
    }
  }
}

/// Writes the files of a machine: devices and runtimes first, calibrations when steps have been measured.
private struct HostRecalibration {
  let options: HostOptions
  let date: String

  func begin(_ measurement: HostMeasurement, _ threads: [Int], _ formats: [WeightFormat]) throws {
    for format in formats { try options.files.writeRuntime(format) }
    for count in threads {
      try options.files.writeDevice(measurement.facts, measurement.machine, threads: count, date: date)
    }
  }

  /// - Returns: A row for each file written: its name, steps, median error and noise.
  @discardableResult
  func fit(_ measurement: HostMeasurement, _ threads: Int, _ formats: [WeightFormat]) throws -> [[ResultTable.Cell]] {
    try formats.compactMap { format in
      let own = measurement.samples.filter { $0.format == format && $0.threads == threads && $0.shape.isFitted }
      guard !own.isEmpty else { return nil }
      let error = try HostCalibrator(files: options.files, date: date).write(
        measurement, format, threads: threads, noise: HostNoise.sentence(own, measurement.machine))
      return [
        .text(options.files.calibrationName(format, threads)), .int(own.count), .number(error),
        ResultTable.Cell(HostNoise.median(own)),
      ]
    }
  }
}

/// How noisy a measurement was.
private enum HostNoise {
  static func median(_ samples: [HostSample]) -> Double? {
    let noise = samples.map(\.noise).sorted()
    return noise.isEmpty ? nil : noise[noise.count / 2]
  }

  static func sentence(_ samples: [HostSample], _ machine: MachineMeasurement) -> String {
    func percent(_ share: Double) -> String { ResultTable.Cell.number(share).text(style: .percent) }
    return "Repeats scatter by \(percent(median(samples) ?? 0)) (half of the distance between quartiles); arithmetic "
      + "alone by \(percent(machine.computeNoise)), reading memory by \(percent(machine.memoryNoise))."
  }
}
