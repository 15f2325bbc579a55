import CostModels
import Execution
import ModelGraph
import Quantities
import Reporting

/// Where a prediction comes from: the operators of a step, their work and time, and the sums a reader can redo by hand.
enum Explanation {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  /// One phase, represented by one step.
  struct Phase {
    let name: String
    let title: String
    let step: StepShape
  }

  /// The first prefill step and the decode step in the middle of the generation.
  static func phases(_ deployment: Deployment, _ batch: BatchCase) -> [Phase] {
    let predictor = Predictor(deployment)
    let prefill = predictor.firstPrefillStep(batch)
    let tokens = max(prefill.prefillTokens, prefill.encoderTokens)
    var phases = [
      Phase(
        name: "prefill",
        title: "One prefill step: \(groupedDigits(tokens)) tokens of \(prefill.prefillSequences) sequences",
        step: prefill)
    ]
    if let decode = predictor.middleDecodeStep(batch) {
      let context = groupedDigits(Int(decode.decodeContext[0]) / max(1, decode.decodeSequences))
      phases.append(
        Phase(
          name: "decode",
          title: "One decode step: \(decode.decodeSequences) sequences at a context of \(context) tokens",
          step: decode))
    }
    return phases
  }

  /// Every operator of both phases, for machines.
  static func operatorTable(_ deployment: Deployment, _ batch: BatchCase) -> ResultTable {
    var table = ResultTable(columns: [Column("phase")] + operatorColumns)
    for phase in phases(deployment, batch) {
      for row in operatorRows(deployment, phase.step) { table.append([.text(phase.name)] + row) }
    }
    return table
  }

  static func text(_ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase) -> String {
    var text = ""
    for phase in phases(deployment, batch) {
      var table = ResultTable(columns: operatorColumns)
      for row in operatorRows(deployment, phase.step) { table.append(row) }
      text += phase.title + "\n\n" + TableRenderer.rows(table) + "\n" + totals(deployment, phase.step) + "\n"
    }
    return text
  }

  // MARK: Operators

  private static let operatorColumns = [
    Column("operator"), Column("kind"), Column("count", heading: "x"), Column("shape"),
    Column("flops", heading: "FLOPs", style: .work), Column("traffic_b", heading: "traffic", style: .size),
    Column("intensity_flop_per_b", heading: "FLOP/B", style: .intensity),
    Column("time_each_s", heading: "each", style: .time), Column("time_s", heading: "time", style: .time),
    Column("share", style: .percent), Column("energy_j", heading: "energy", style: .energy), Column("bound"),
  ]

  private static func operatorRows(_ deployment: Deployment, _ step: StepShape) -> [[Cell]] {
    let operators = deployment.pricedOperators(step)
    let price = deployment.price(operators, step)
    let total = price.time
    let host = price.time - price.deviceTime
    let hostRow: [Cell] = [
      .text("(host)"), .text("host"), .int(1), .text("-"), .missing, .missing, .missing, Cell(host), Cell(host),
      Cell(host / total), .missing, .text(Bound.host.rawValue),
    ]
    return operators.map { item in
      let work = item.work
      let count = Double(work.count)
      return [
        .text(work.name), .text(work.kind.label), .int(work.count), .text(shape(work.kind)), Cell(work.flops * count),
        Cell(work.traffic.total * count), Cell(work.arithmeticIntensity), Cell(item.price.time), Cell(item.totalTime),
        Cell(item.totalTime / total), Cell(item.price.energy * count), .text(item.price.bound.rawValue),
      ]
    } + [hostRow]
  }

  private static func shape(_ kind: OperatorKind) -> String {
    switch kind {
    case .gemm(let shape): "\(shape.rows)x\(shape.columns)x\(shape.inner)"
    case .expertGEMM(let shape):
      "\(roundedText(shape.activeExperts, significantDigits: 3)) of "
        + "\(roundedText(shape.visits / max(shape.activeExperts, 1e-9), significantDigits: 3))x\(shape.columns)x\(shape.inner)"
    case .decodeAttention(let shape): "\(shape.sequences) seq, \(shape.queryHeads)/\(shape.kvHeads) heads"
    case .prefillAttention(let shape): "\(shape.sequences) seq, \(shape.tokens) tok, \(shape.queryHeads) heads"
    case .elementwise, .recurrentScan: "-"
    case .collective(let shape): "\(shape.ranks) ranks, \(shape.message)"
    }
  }

  // MARK: Totals

  /// The roofline of the whole step by hand: traffic over bandwidth, FLOPs over peak, and what was predicted.
  private static func totals(_ deployment: Deployment, _ step: StepShape) -> String {
    let operators = deployment.pricedOperators(step)
    let price = deployment.price(operators, step)
    let traffic = operators.reduce(Traffic()) { $0 + $1.work.traffic * Double($1.work.count) }
    let device = deployment.platform.device
    let bandwidth = device.mainMemory?.bandwidth ?? .zero
    let peak = deployment.pricer.rates.rate(deployment.plan.formats.compute)
    let memoryTime = traffic.total / bandwidth
    let computeTime = price.flops / peak
    let lines = [
      "weights \(traffic.weights), KV cache \(traffic.kvRead + traffic.kvWritten), activations "
        + "\(traffic.activations)" + (traffic.state > .zero ? ", state \(traffic.state)" : ""),
      "memory  \(traffic.total) / \(bandwidth) = \(memoryTime) at the peak",
      "compute \(price.flops) / \(peak) = \(computeTime) at the \(deployment.plan.formats.compute.rawValue) peak",
      "ridge point \(roundedText((peak / bandwidth).value, significantDigits: 3)) FLOP/B, this step "
        + "\(roundedText((price.flops / traffic.total).value, significantDigits: 3)) FLOP/B: the larger is "
        + (memoryTime > computeTime ? "memory" : "compute"),
      "predicted \(price.time): devices \(price.deviceTime), host \(price.time - price.deviceTime); "
        + "\(price.energy) on \(deployment.parallelism.devices) device(s)",
    ]
    return lines.map { "  " + $0 + "\n" }.joined()
  }
}
