import CostModels
import Execution
import Quantities
import Reporting

/// The stable columns of a prediction.
enum PredictionTable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell

  static func table(_ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase) -> ResultTable {
    var table = ResultTable(columns: caseColumns + columns)
    table.append(caseCells(deployment, batch) + cells(prediction, deployment, batch))
    return table
  }

  /// What was asked, with every choice spelled out.
  private static let caseColumns = [
    Column("model"), Column("hardware"), Column("devices"), Column("runtime"),
    Column("weights_format", heading: "weights"), Column("experts_format", heading: "expert weights"),
    Column("activations_format", heading: "activations"), Column("kv_format", heading: "kv cache"), Column("tp"),
    Column("pp"), Column("ep"), Column("dp"), Column("batch_size", heading: "batch"),
    Column("input_tokens", heading: "input tokens"), Column("output_tokens", heading: "output tokens"),
    Column("techniques"),
  ]

  private static func caseCells(_ deployment: Deployment, _ batch: BatchCase) -> [Cell] {
    let plan = deployment.plan
    return [
      .text(deployment.model.name), .text(deployment.platform.name), .int(plan.parallelism.devices),
      .text(deployment.runtime.name), .text(plan.formats.storedWeights.name),
      deployment.model.expertCount == nil ? .missing : .text(plan.formats.storedExperts.name),
      .text(plan.formats.activations.rawValue),
      .text(plan.formats.storedKV.name), .int(plan.parallelism.tensor), .int(plan.parallelism.pipeline),
      .int(plan.parallelism.expert), .int(plan.parallelism.data), .int(batch.sequences), .int(batch.inputTokens),
      .int(batch.outputTokens),
      deployment.techniques.isEmpty ? .missing : .text(deployment.techniques.joined(separator: " + ")),
    ]
  }

  /// The columns appended to a table of cases.
  static let columns = [
    Column("ttft_s", heading: "TTFT", style: .time), Column("tpot_s", heading: "TPOT", style: .time),
    Column("e2e_s", heading: "end to end", style: .time),
    Column("ttft_s_lo", heading: "TTFT, low", style: .time), Column("ttft_s_hi", heading: "TTFT, high", style: .time),
    Column("tpot_s_lo", heading: "TPOT, low", style: .time), Column("tpot_s_hi", heading: "TPOT, high", style: .time),
    Column("e2e_s_lo", heading: "end to end, low", style: .time),
    Column("e2e_s_hi", heading: "end to end, high", style: .time),
    Column("interval_level", heading: "measured within low to high", style: .percent),
    Column("output_tokens_per_s", heading: "output tokens", style: .rate),
    Column("total_tokens_per_s", heading: "all tokens", style: .rate),
    Column("energy_j", heading: "energy", style: .energy),
    Column("energy_j_lo", heading: "energy, low", style: .energy),
    Column("energy_j_hi", heading: "energy, high", style: .energy),
    Column("energy_per_output_token_j", heading: "energy per output token", style: .energy),
    Column("power_w", heading: "mean power, all devices", style: .power),
    Column("usd_per_million_output_tokens", heading: "price per 1M output tokens", style: .money),
    Column("prefill_bound", heading: "prefill bound by"), Column("decode_bound", heading: "decode bound by"),
    Column("memory_weights_b", heading: "memory: weights", style: .size),
    Column("memory_kv_b", heading: "memory: KV cache", style: .size),
    Column("memory_activations_b", heading: "memory: activations", style: .size),
    Column("memory_runtime_b", heading: "memory: runtime", style: .size),
    Column("memory_usable_b", heading: "memory: usable per device", style: .size),
    Column("largest_batch", heading: "largest batch at this length"),
    Column("longest_context_tokens", heading: "longest context at this batch"),
    Column("waves", heading: "rounds"), Column("calibrations"),
  ]

  static func cells(_ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase) -> [Cell] {
    let ledger = prediction.ledger
    let tokens = Double(batch.sequences * batch.outputTokens)
    let replicas = deployment.parallelism.data
    let perReplica = batch.sequences.dividedUp(by: replicas)
    let largest = ledger.largestBatch(batch)
    let resident = min(perReplica, largest)
    return [
      Cell(prediction.ttft), Cell(prediction.tpot), Cell(prediction.endToEnd),
    ] + timeIntervals(prediction, deployment, batch) + [
      Cell(prediction.outputRate), Cell(prediction.totalRate), Cell(prediction.energy),
    ] + ends(prediction.energy.value, deployment.energyIntervalFactor(for: batch)) + [
      Cell(prediction.energy.value / tokens),
      Cell(prediction.power),
      Cell(deployment.price(of: prediction.endToEnd, for: batch).map { $0.value / tokens * 1e6 }),
      .text(prediction.prefillBound.rawValue), Cell(prediction.decodeBound?.rawValue), Cell(ledger.weights),
      Cell(ledger.cache(of: batch) * Double(resident)), Cell(ledger.activations), Cell(ledger.reserved),
      Cell(ledger.usable), largest == Int.max ? .missing : .int(largest * replicas),
      Cell(ledger.longestContext(sequences: resident).map { $0 + 1 }), .int(prediction.waves),
      .text(deployment.calibrations.joined(separator: " + ")),
    ]
  }
  private static func timeIntervals(
    _ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase
  ) -> [Cell] {
    ends(prediction.ttft.value, deployment.intervalFactor(.firstToken, for: batch))
      + ends(prediction.tpot?.value, deployment.intervalFactor(.perToken, for: batch))
      + ends(prediction.endToEnd.value, deployment.intervalFactor(.endToEnd, for: batch))
      + [Cell(deployment.intervals.level)]
  }

  /// Both ends of an interval, where the calibrations state one.
  private static func ends(_ value: Double?, _ factor: Double?) -> [Cell] {
    guard let value, let factor else { return [.missing, .missing] }
    return [Cell(value / factor), Cell(value * factor)]
  }
}
