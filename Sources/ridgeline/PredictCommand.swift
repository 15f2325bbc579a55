import ArgumentParser
import Execution
import Reporting
import Studies

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Prices one static batch, or a table of cases.",
    discussion: """
      All prompts of a batch start together and generate the same number of \
      tokens. Columns and their meaning are in Documentation/columns.md.

        ridgeline predict --model llama-3-8b --hardware h100-sxm \\
            --batch 16 --input 1024 --output 256
        ridgeline predict --model llama-3-70b --hardware hgx-h100 --tp 4 \\
            --weights fp8 --activations fp8 --explain
        ridgeline predict --model llama-2-7b --hardware a10 --output 64 \\
            --with w4a16:group=128 --with kv-quant:bits=4
        ridgeline predict --model llama-3-8b --hardware gaming-pc \\
            --plan kv-host --input 100000 --any-length
        ridgeline predict --cases cases.csv --save priced.csv
      """)

  @OptionGroup var deployment: DeploymentOptions

  @Option(parsing: .unconditional, help: "Sequences in the batch.")
  var batch = 1

  @Option(parsing: .unconditional, help: "Prompt tokens of each sequence.")
  var input = 1024

  @Option(parsing: .unconditional, help: "Tokens each sequence generates.")
  var output = 256

  @Flag(help: "Show every operator of a prefill and a decode step, and the memory ledger.")
  var explain = false

  @Flag(help: "Serve a batch whose cache does not fit in several rounds instead of refusing it.")
  var waves = false

  @Flag(help: "Price lengths beyond the model's own limit.")
  var anyLength = false

  @Option(
    help: ArgumentHelp(
      "CSV of cases: device, device_count, runtime, model, input_tokens, output_tokens, batch_size and, optionally, "
        + "weights_format, activations_format, kv_format, tp, pp, ep, dp.", valueName: "file.csv"))
  var cases: String?

  @Option(help: ArgumentHelp("File for the priced cases; stdout when absent.", valueName: "file.csv"))
  var save: String?

  @OptionGroup(title: "Keeping it") var keep: KeepOptions

  @Option(help: "How one prediction is written: table, csv or json. With --explain, csv and json hold the operators.")
  var format = OutputFormat.table

  func run() throws {
    if let cases {
      try refuseBesideCases()
      try CaseRunner(library: Library()).run(input: cases, output: save)
      return
    }
    guard save == nil else { throw UsageError("--save belongs to --cases; redirect stdout to keep one prediction") }
    try predictOne()
  }

  /// A table of cases says everything itself; an option beside it would be ignored, so it is refused.
  private func refuseBesideCases() throws {
    let given: [(String, Bool)] = [
      ("--model", deployment.model != nil), ("--hardware", deployment.hardware != nil),
      ("--runtime", deployment.runtime != nil), ("--weights", deployment.weights != nil),
      ("--activations", deployment.activations != nil), ("--kv-format", deployment.kvFormat != nil),
      ("--tp", deployment.tp != nil), ("--pp", deployment.pp != nil), ("--ep", deployment.ep != nil),
      ("--dp", deployment.dp != nil), ("--batch", batch != 1), ("--input", input != 1024), ("--output", output != 256),
      ("--with", !deployment.techniques.isEmpty),
      ("--plan", deployment.plan != nil), ("--board-power", deployment.boardPower != nil),
      ("--clock", deployment.clock != nil), ("--host-core", deployment.hostCore != nil), ("--explain", explain),
      ("--waves", waves), ("--any-length", anyLength),
      ("--store", keep.store != nil), ("--format", format != .table),
    ]
    guard let (option, _) = given.first(where: \.1) else { return }
    throw UsageError("\(option) does not go with --cases, whose file says model, hardware, plan and sizes")
  }

  private func predictOne() throws {
    let asked = BatchCase(
      sequences: try checked(batch, "--batch", BatchCase.sequenceRange),
      inputTokens: try checked(input, "--input", BatchCase.tokenRange),
      outputTokens: try checked(output, "--output", BatchCase.tokenRange))
    let library = try Library()
    let keeper = try keep.keeper(library)
    let options = self.deployment
    let deployment = try library.deployment(options.planned(options.request(), by: library, for: asked))
    let batch = deployment.rewritten(asked)
    let tokens = batch.inputTokens + batch.outputTokens
    if !anyLength, let limit = deployment.model.contextLimit, tokens > limit {
      throw PredictionError.contextTooLong(tokens: tokens, limit: limit, model: deployment.model.name)
    }
    let prediction = try Predictor(deployment).predict(batch, overflow: waves ? .waves : .refuse)
    if let keeper {
      var scenario = Scenario(name: deployment.model.name, title: "")
      try options.apply(to: &scenario)
      try keeper.add(keeper.recorder.prediction(scenario, deployment, batch, prediction, isDetailed: true))
    }
    for note in deployment.notes { standardError("Note: \(note)") }
    if let time = prediction.throttledAfter {
      standardError("Note: after \(time) of work the case of \(deployment.platform.name) is hot and clocks fall")
    }
    let table =
      explain && format != .table
      ? Explanation.operatorTable(deployment, batch) : PredictionTable.table(prediction, deployment, batch)
    switch format {
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    case .table:
      try standardOutput(TableRenderer.card(table))
      if explain { try standardOutput("\n" + Explanation.text(prediction, deployment, batch)) }
    }
  }
}
