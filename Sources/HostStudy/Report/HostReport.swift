import Foundation
import Quantities
import ReferenceEngine
import Reporting
import Statistics

/// The page that says how well this machine was predicted.
package struct HostReport {
  package let facts: HostFacts
  package let measured: MachineMeasurement
  package let comparison: HostComparison
  package let threads: [Int]
  package let date: String
  package var memory: [MemoryCheck] = []
  package var serving: ServeCheck.Outcome?
  package var side: SideBySide?
  package var foreign: ForeignFit?
  package var tokens: (engine: String, outcomes: [TokenCheck.Outcome])?

  package init(measurement: HostMeasurement, comparison: HostComparison, threads: [Int], date: String) {
    facts = measurement.facts
    measured = measurement.machine
    self.comparison = comparison
    self.threads = threads
    self.date = date
  }

  private typealias Cell = ResultTable.Cell
  private typealias Column = ResultTable.Column

  // MARK: Page

  package var page: String {
    var parts = [head, machine, "## Errors on shapes that were not fitted", errors]
    parts += ["## Where the error lies", MarkdownRenderer.rows(byOperator), formats]
    parts += ["![Steps, predicted against measured](host-steps.svg)"]
    parts += ["![Operators, predicted against measured](host-operators.svg)"]
    parts += ["![Reading, by size of what is read](host-bandwidth.svg)"]
    if !memory.isEmpty { parts += ["## Memory", MarkdownRenderer.rows(memoryTable)] }
    if let tokens { parts += ["## Tokens", tokenText(tokens.engine, tokens.outcomes)] }
    if let side { parts += ["## Beside other engines, in one run", MarkdownRenderer.rows(sideTable(side))] }
    if let serving { parts += ["## Serving", servingText(serving), "![Sequences that decode](host-batch.svg)"] }
    if let foreign { parts += ["## llama.cpp, predicted", foreignText(foreign)] }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var head: String {
    """
    # This machine, predicted

    Written by `ridgeline host validate` on \(date): \(facts.processor), \(facts.cores) cores, \(facts.memory),
    \(facts.instructions.rawValue) instructions. The reference engine runs random Llama models over a grid of steps;
    every step is predicted from this machine's device file, by the operators, prices and calibrations of every other
    prediction. Constants were fitted to \(HostShape.fitted.count) other model shapes, measured in turn with these.

    Times are medians of interleaved repeats. A step of one thread is its CPU time; operators are timed by a clock that is
    quick to read, in steps that nothing interrupted where there were any. The noise floor is half of the distance
    between the quartiles of a case's repeats, as a share of their median; no prediction can be expected to come closer.
    """
  }

  private var machine: String {
    var lines = ["## The machine", ""]
    for count in threads {
      lines.append(
        "- \(count) thread\(count == 1 ? "" : "s"): f32 \(measured.peak(.fp32, threads: count)), int8 "
          + "\(measured.peak(.int8, threads: count)), reading memory \(measured.memoryBandwidth(threads: count)), "
          + "starting work \(measured.launches.first { $0.threads == count }?.time ?? .zero)")
    }
    let caches = facts.caches.map { "l\($0.level) \(Int($0.size.value / 1024)) KiB" }.joined(separator: ", ")
    lines.append(
      "- Caches: \(caches). Repeats scatter by \(percent(measured.computeNoise)) in arithmetic and "
        + "\(percent(measured.memoryNoise)) in reading memory.")
    return lines.joined(separator: "\n")
  }

  private func percent(_ share: Double) -> String { roundedText(100 * share, significantDigits: 2) + " %" }

  // MARK: Errors

  private static func errorColumns(_ first: String) -> [Column] {
    [
      Column(first), Column("threads", style: .count), Column("cases", style: .count),
      Column("median_error", heading: "median", style: .percent), Column("p90_error", heading: "P90", style: .percent),
      Column("bias", style: .percent), Column("noise", heading: "noise floor", style: .percent), Column("target"),
    ]
  }

  private static func row(_ name: String, _ threads: Int, _ errors: HostErrors, _ target: String = "-") -> [Cell] {
    [
      .text(name), .int(threads), .int(errors.count), .number(errors.median), .number(errors.ninetieth),
      .number(errors.bias), .number(errors.noise), .text(target),
    ]
  }

  /// Errors by phase, for people and machines.
  package var summary: ResultTable {
    var table = ResultTable(columns: Self.errorColumns("what"))
    for count in threads {
      func add(_ name: String, _ errors: HostErrors?, _ target: String = "-") {
        if let errors { table.append(Self.row(name, count, errors, count == 1 ? target : "-")) }
      }
      add("operators", comparison.operatorErrors(threads: count), "8 %")
      add("operators of 1 % of a step or more", comparison.operatorErrors(threads: count) { $0.share >= 0.01 })
      add("decode steps (TPOT)", comparison.stepErrors(threads: count) { $0.step.isDecode }, "6 %")
      add("prompts (TTFT)", comparison.stepErrors(threads: count) { !$0.step.isDecode }, "8 %")
      add("prompt and 32 tokens (E2E)", comparison.answerErrors(threads: count, outputs: 32))
    }
    return table
  }

  /// Every operator of every step.
  package var rows: ResultTable {
    var table = ResultTable(
      columns: ["model", "format", "threads", "step", "operator", "measured_s", "predicted_s", "noise"].map {
        Column($0)
      })
    for row in comparison.operators {
      table.append([
        .text(row.sample.shape.name), .text(row.sample.format.rawValue), .int(row.sample.threads),
        .text(row.sample.step.name), .text(row.name), .number(row.measured), .number(row.predicted),
        .number(row.noise),
      ])
    }
    return table
  }

  private var errors: String { MarkdownRenderer.rows(summary) }

  private var byOperator: ResultTable {
    var table = ResultTable(columns: Self.errorColumns("operator"))
    for kind in EngineOperator.allCases {
      for count in threads {
        guard let errors = comparison.operatorErrors(threads: count, where: { $0.name == kind.rawValue }) else {
          continue
        }
        table.append(Self.row(kind.rawValue, count, errors))
      }
    }
    return table
  }

  private var formats: String {
    var table = ResultTable(columns: Self.errorColumns("format, phase"))
    for format in WeightFormat.allCases {
      for count in threads {
        for decodes in [true, false] {
          let errors = comparison.stepErrors(threads: count) { $0.format == format && $0.step.isDecode == decodes }
          guard let errors else { continue }
          table.append(Self.row("\(format.rawValue), \(decodes ? "decode" : "prompt")", count, errors))
        }
      }
    }
    return MarkdownRenderer.rows(table)
  }

  private var memoryTable: ResultTable {
    var table = ResultTable(columns: [
      Column("model"), Column("process", style: .size), Column("ledger", style: .size),
      Column("error", style: .percent),
    ])
    for check in memory {
      table.append([.text(check.name), Cell(check.measured), Cell(check.predicted), .number(check.error)])
    }
    return table
  }

  // MARK: Other engines

  private func tokenText(_ engine: String, _ outcomes: [TokenCheck.Outcome]) -> String {
    var table = ResultTable(columns: [
      Column("prompt"), Column("equal", heading: "greedy tokens equal", style: .count),
      Column("compared", style: .count), Column("difference", heading: "largest difference of likeliest logits"),
    ])
    for outcome in outcomes {
      table.append([
        .text(String(outcome.text.prefix(40)).replacing("\n", with: " ")), .int(outcome.agreeing),
        .int(outcome.compared),
        .number(outcome.largestDifference),
      ])
    }
    return "SmolLM2-135M-Instruct in f32, against \(engine) on the same weights.\n\n" + MarkdownRenderer.rows(table)
  }

  /// Ours over theirs, for people and machines.
  package func sideTable(_ side: SideBySide) -> ResultTable {
    var table = ResultTable(columns: [
      Column("what"), Column("ours"), Column("theirs"), Column("ratio", heading: "ours of theirs", style: .percent),
      Column("target"),
    ])
    for product in side.products {
      let work = 2 * pow(Double(product.width), 3)
      table.append([
        .text("f32 product of \(product.width) squared, OpenBLAS"), .text("\(FLOPsPerSecond(work / product.ours))"),
        .text("\(FLOPsPerSecond(work / product.blas))"), .number(product.blas / product.ours), .text("80 %"),
      ])
    }
    table.append([
      .text("f32 product with a vector, reading alone"), .text("\(side.vector)"), .text("\(side.reading)"),
      .number(side.vector / side.reading), .text("80 %"),
    ])
    for row in side.llama {
      var tokens = 1.0
      if case .prefill(let count) = row.step { tokens = Double(count) }
      table.append([
        .text("SmolLM2-135M Q4_1, \(row.step.name), llama.cpp"), .text(rate(tokens / row.ours)),
        .text(rate(tokens / row.theirs)), .number(row.theirs / row.ours), .text(row.step.isDecode ? "70 %" : "-"),
      ])
    }
    return table
  }

  private func rate(_ value: Double) -> String { roundedText(value, significantDigits: 3) + " tokens/s" }

  private func servingText(_ outcome: ServeCheck.Outcome) -> String {
    let batches = outcome.batches
    return MarkdownRenderer.rows(Self.servingTable(outcome))
      + "\nSequences that decode, mean over time: \(roundedText(batches.measured, significantDigits: 3)) in the engine, "
      + "\(roundedText(batches.predicted, significantDigits: 3)) in the simulator; they differ by "
      + "\(roundedText(batches.difference, significantDigits: 2)) on average."
  }

  /// Errors per request, for people and machines.
  package static func servingTable(_ outcome: ServeCheck.Outcome) -> ResultTable {
    var table = ResultTable(columns: [
      Column("metric"), Column("requests", style: .count), Column("median_error", heading: "median", style: .percent),
      Column("p90_error", heading: "P90", style: .percent), Column("bias", style: .percent), Column("target"),
    ])
    let metrics: [(String, (ServeCheck.Times) -> Double?)] = [
      ("TTFT", { $0.firstToken }), ("TPOT", { $0.perToken }), ("E2E", { $0.endToEnd }),
    ]
    for (name, value) in metrics {
      let ratios = outcome.errors(value)
      guard !ratios.isEmpty else { continue }
      let errors = ratios.map { abs($0 - 1) }
      table.append([
        .text(name), .int(ratios.count), .number(Quantile.median(errors)), .number(Quantile.value(errors, at: 0.9)),
        .number(ratios.reduce(0) { $0 + $1 - 1 } / Double(ratios.count)), .text("12 %"),
      ])
    }
    return table
  }

  private func foreignText(_ fit: ForeignFit) -> String {
    var table = ResultTable(columns: [
      Column("step"), Column("measured", style: .time), Column("predicted", style: .time),
      Column("error", style: .percent), Column("used", heading: ""),
    ])
    for row in fit.rows {
      table.append([
        .text(row.step.name), .number(row.measured), .number(row.predicted),
        .number(row.predicted / row.measured - 1), .text(row.wasFitted ? "fitted" : "scored"),
      ])
    }
    let scored = [(true, "decodes"), (false, "prompts")].compactMap { decodes, name in
      fit.errors(decodes: decodes).map { "\(name) \(percent($0.median))" }
    }
    return
      "Five constants fitted to every second point. Median error on the others: \(scored.joined(separator: ", ")).\n\n"
      + MarkdownRenderer.rows(table)
  }

  // MARK: Plots

  /// Drawings by the names of their files.
  package var plots: [(name: String, svg: String)] {
    var plots = [
      ("host-steps.svg", scatter("Steps", steps)), ("host-operators.svg", scatter("Operators", operators)),
      ("host-bandwidth.svg", bandwidth),
    ]
    if let serving { plots.append(("host-batch.svg", batch(serving))) }
    return plots
  }

  private var steps: [ScatterChart.Series] {
    WeightFormat.allCases.map { format in
      ScatterChart.Series(
        format.rawValue,
        comparison.steps.filter { $0.sample.format == format }.map {
          ScatterChart.Point($0.sample.seconds, $0.predicted, label: "\($0.sample.shape.name), \($0.sample.step.name)")
        })
    }.filter { !$0.points.isEmpty }
  }

  private var operators: [ScatterChart.Series] {
    let groups: [(String, (String) -> Bool)] = [
      ("products", { $0.hasSuffix("_proj") || $0 == "lm_head" }), ("attention", { $0.hasPrefix("attention") }),
      ("others", { !$0.hasSuffix("_proj") && $0 != "lm_head" && !$0.hasPrefix("attention") }),
    ]
    return groups.map { name, contains in
      ScatterChart.Series(
        name,
        comparison.operators.filter { contains($0.name) }.map {
          ScatterChart.Point($0.measured, $0.predicted, label: "\($0.name), \($0.sample.step.name)")
        })
    }
  }

  private func scatter(_ title: String, _ series: [ScatterChart.Series]) -> String {
    let unit = AxisUnit(TimeDimension.self)
    return ScatterChart(
      ChartHeader("\(title), predicted against measured"), x: Axis("measured", unit: unit, kind: .logarithmic),
      y: Axis("predicted", unit: unit, kind: .logarithmic), series: series, reference: .identity(band: 0.1)
    ).svg()
  }

  private var bandwidth: String {
    let series = threads.map { count in
      LineChart.Series(
        "\(count) thread\(count == 1 ? "" : "s")",
        measured.bandwidths.filter { $0.threads == count }.map {
          LineChart.Point($0.workingSet.value, $0.rate.value)
        })
    }
    return LineChart(
      ChartHeader("Reading, by size of what is read"),
      x: Axis("read again and again", unit: AxisUnit(SizeDimension.self), kind: .logarithmic),
      y: Axis("bandwidth", unit: AxisUnit(BandwidthDimension.self), kind: .logarithmic), series: series
    ).svg()
  }

  private func batch(_ outcome: ServeCheck.Outcome) -> String {
    func line(_ name: String, _ points: [(time: Double, size: Int)]) -> LineChart.Series {
      LineChart.Series(name, points.map { LineChart.Point($0.time, Double($0.size)) }, path: .steps)
    }
    return LineChart(
      ChartHeader("Sequences that decode"), x: Axis("time", unit: AxisUnit(TimeDimension.self)),
      y: Axis("sequences"),
      series: [line("engine", outcome.measuredBatch), line("simulator", outcome.predictedBatch)]
    ).svg()
  }
}
