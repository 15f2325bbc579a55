import CostModels
import Documents
import EventKernel
import Execution
import Hardware
import ModelGraph
import Quantities
import Reporting
import Serving
import Store

/// Turns what runs found into records for a store.
package struct RunRecorder: Sendable {
  package let origin: RunOrigin

  package init(_ origin: RunOrigin) { self.origin = origin }

  // MARK: Replays

  /// - Parameters:
  ///   - isDetailed: Also distributions, operators and assumptions.
  ///   - samples: The cluster over time.
  package func replay(
    _ scenario: Scenario, _ plan: ClusterPlan, _ run: RunOutcome, samples: [SeriesRow] = [], isDetailed: Bool
  ) -> RunRecord {
    let first = plan.pools[0].replica.deployment
    let size = TypicalBatch(run.result, first)
    let warmUp = min(run.warmUp(scenario.warmUp), max(0, run.series.count - 1))
    let summary = RunSummary(run, requests: warmUp..<run.series.count)
    var record = blank("simulate", scenario, first)
    record.headline = Self.headline(scenario, plan, summary)
    record.predictions = RunMetric.allCases.map { metric in
      let factor = first.factor(of: metric, for: size.batch)
      return StoredMetric(metric.rawValue, summary[metric], factor: factor)
    }
    record.predictions += Self.clusterMetrics(run.result, plan)
    guard isDetailed else { return record }
    record.distributions = Self.distributions(run.series, warmUp..<run.series.count)
    record.series = samples
    addDeployment(first, size.batch, to: &record)
    return record
  }

  private static func headline(_ scenario: Scenario, _ plan: ClusterPlan, _ summary: RunSummary) -> String {
    func text(_ metric: RunMetric) -> String { ResultTable.Cell(summary[metric]).text(style: metric.style) }
    let deployment = plan.pools[0].replica.deployment
    let replicas = plan.pools.reduce(0) { $0 + $1.count }
    return
      "\(deployment.model.name) on \(replicas) x \(deployment.parallelism.devices) \(deployment.platform.name) under "
      + "\(scenario.trafficName) serves \(text(.requestRate)) with P99 TTFT \(text(.ttftP99)) and P99 TPOT "
      + "\(text(.tpotP99)), at \(text(.energyPerToken)) an output token"
  }

  private static func clusterMetrics(_ result: ServingResult, _ plan: ClusterPlan) -> [StoredMetric] {
    let devices = plan.pools.reduce(0) { $0 + $1.count * $1.replica.deployment.parallelism.devices }
    let arrived = Double(max(1, result.arrived))
    return [
      StoredMetric("requests", Double(result.arrived)),
      StoredMetric("completed_share", Double(result.metrics.completed) / arrived),
      StoredMetric("saturated", result.metrics.saturation.verdict == .saturated ? 1 : 0),
      StoredMetric("utilisation", result.utilisation), StoredMetric("mean_batch", result.meanBatch),
      StoredMetric("pipeline_bubble_share", result.metrics.pipelineBubbleShare),
      StoredMetric("kv_occupancy_mean", result.meanOccupancy), StoredMetric("kv_occupancy_peak", result.peakOccupancy),
      StoredMetric("preemptions", Double(result.preemptions)), StoredMetric("prefix_hit_rate", result.hitRate),
      StoredMetric("replicas", Double(result.replicas)), StoredMetric("devices", Double(devices)),
      StoredMetric("duration_s", result.duration.value), StoredMetric("energy_j", result.energy.value),
      StoredMetric("energy_idle_j", result.idleEnergy.value),
      StoredMetric("power_w", result.duration > .zero ? (result.energy / result.duration).value : nil),
      StoredMetric("usd", result.cost?.value),
    ]
  }

  /// Shares at which distributions are kept.
  private static let shares =
    [0.0, 0.01, 0.02] + stride(from: 5, through: 95, by: 5).map { Double($0) / 100 }
    + [0.96, 0.97, 0.98, 0.99, 0.995, 0.999, 1]

  private static func distributions(_ series: RequestSeries, _ range: Range<Int>) -> [DistributionPoint] {
    let kinds = [
      ("ttft_s", series.timesToFirstToken(range)), ("tpot_s", series.timesPerOutputToken(range)),
      ("e2e_s", series.endToEnd(range)),
    ]
    return kinds.flatMap { name, values -> [DistributionPoint] in
      let sorted = values.sorted()
      guard !sorted.isEmpty else { return [] }
      return shares.map { share in
        let place = min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))
        return DistributionPoint(metric: name, share: share, value: sorted[place])
      }
    }
  }

  // MARK: Static batches

  package func prediction(
    _ scenario: Scenario, _ deployment: Deployment, _ batch: BatchCase, _ prediction: Prediction, isDetailed: Bool
  ) -> RunRecord {
    var record = blank("predict", scenario, deployment)
    record.predictions = Self.metrics(prediction, deployment, batch)
    func time(_ value: Seconds?) -> String { value.map(\.description) ?? "-" }
    record.headline =
      "\(deployment.model.name) on \(deployment.parallelism.devices) \(deployment.platform.name): a batch of "
      + "\(batch.sequences) x (\(batch.inputTokens) + \(batch.outputTokens)) tokens has its first token after "
      + "\(time(prediction.ttft)), one every \(time(prediction.tpot)), and ends after \(time(prediction.endToEnd))"
    if isDetailed { addDeployment(deployment, batch, to: &record) }
    return record
  }

  private static func metrics(
    _ prediction: Prediction, _ deployment: Deployment, _ batch: BatchCase
  ) -> [StoredMetric] {
    let tokens = Double(batch.sequences * batch.outputTokens)
    let energy = deployment.energyIntervalFactor(for: batch)
    func factor(_ metric: Metric) -> Double? { deployment.intervalFactor(metric, for: batch) }
    return [
      StoredMetric("ttft_s", prediction.ttft.value, factor: factor(.firstToken)),
      StoredMetric("tpot_s", prediction.tpot?.value, factor: factor(.perToken)),
      StoredMetric("e2e_s", prediction.endToEnd.value, factor: factor(.endToEnd)),
      StoredMetric("output_tokens_per_s", prediction.outputRate, factor: factor(.endToEnd)),
      StoredMetric("energy_j", prediction.energy.value, factor: energy),
      StoredMetric("energy_per_output_token_j", prediction.energy.value / tokens, factor: energy),
      StoredMetric("power_w", prediction.power.value, factor: factor(.power)),
      StoredMetric(
        "usd_per_million_output_tokens",
        deployment.price(of: prediction.endToEnd, for: batch).map { $0.value / tokens * 1e6 },
        factor: factor(.endToEnd)),
      StoredMetric("devices", Double(deployment.parallelism.devices)),
      StoredMetric("waves", Double(prediction.waves)),
    ]
  }

  /// What a decision command found about one deployment.
  package func decision(
    _ kind: String, name: String, headline: String, _ deployment: Deployment, _ batch: BatchCase,
    _ metrics: [StoredMetric]
  ) -> RunRecord {
    var record = blank(kind, Scenario(name: name, title: ""), deployment)
    record.headline = headline
    addDeployment(deployment, batch, to: &record)
    record.predictions += metrics
    return record
  }

  // MARK: What both have

  private func blank(_ kind: String, _ scenario: Scenario, _ deployment: Deployment) -> RunRecord {
    var print = Fingerprint(origin.command)
    for part in [scenario.name, origin.startedAt, origin.host, scenario.json] { print.add(part) }
    var record = RunRecord(
      uid: print.text, kind: kind, name: scenario.name, headline: "", scenario: scenario.json, command: origin.command,
      provenance: origin.provenance(deployment.calibrations))
    record.seed = scenario.seed
    return record
  }

  private func addDeployment(_ deployment: Deployment, _ batch: BatchCase, to record: inout RunRecord) {
    record.predictions += Self.memory(deployment, batch) + Self.device(deployment)
    record.operators = OperatorRows.rows(deployment, batch)
    record.assumptions = AssumptionList.of(deployment, record)
    let predictor = Predictor(deployment)
    for (phase, step) in [
      ("prefill", predictor.firstPrefillStep(batch)), ("decode", predictor.middleDecodeStep(batch)),
    ] {
      guard let step else { continue }
      for (part, energy) in EnergyParts(deployment, step).named {
        record.predictions.append(StoredMetric("energy_\(phase)_step_\(part)_j", energy.value))
      }
    }
    // A placement has numbers of other devices too; 'ridgeline step' tells their elasticities.
    guard deployment.placement == nil else { return }
    for elasticity in HardwareElasticity.ofPrediction(deployment, batch) {
      record.predictions.append(
        StoredMetric("elasticity.\(elasticity.output).\(elasticity.number.rawValue)", elasticity.value))
    }
  }

  private static func memory(_ deployment: Deployment, _ batch: BatchCase) -> [StoredMetric] {
    let ledger = deployment.memoryLedger()
    let each = batch.sequences.dividedUp(by: deployment.parallelism.data)
    let stored = ledger.cache(tokens: batch.inputTokens + batch.outputTokens - 1) * Double(each)
    let cache = min(stored, max(.zero, ledger.cacheRoom))
    return [
      StoredMetric("memory_capacity_b", ledger.capacity.value), StoredMetric("memory_usable_b", ledger.usable.value),
      StoredMetric("memory_weights_b", ledger.weights.value), StoredMetric("memory_kv_b", cache.value),
      StoredMetric("memory_kv_free_b", max(.zero, ledger.cacheRoom - cache).value),
      StoredMetric("memory_activations_b", ledger.activations.value),
      StoredMetric("memory_runtime_b", ledger.reserved.value),
      StoredMetric("memory_unused_b", (ledger.capacity - ledger.usable).value),
    ]
  }

  private static func device(_ deployment: Deployment) -> [StoredMetric] {
    let device = deployment.platform.device
    return [
      StoredMetric("device_memory_bandwidth_b_per_s", device.mainMemory?.bandwidth?.value),
      StoredMetric("device_peak_flops_per_s", deployment.pricer.rates.rate(deployment.plan.formats.compute).value),
    ]
  }
}

extension StoredMetric {
  /// - Parameter factor: By which the truth may lie above or below.
  fileprivate init(_ name: String, _ value: Double?, factor: Double?) {
    self.init(
      name, value, low: factor.flatMap { factor in value.map { $0 / factor } },
      high: factor.flatMap { factor in value.map { $0 * factor } })
  }
}

extension Deployment {
  /// By how much measurements of a serving metric may differ, as those of a batch of like size do.
  fileprivate func factor(of metric: RunMetric, for batch: BatchCase) -> Double? {
    switch metric {
    case .ttftMean, .ttftP50, .ttftP99: intervalFactor(.firstToken, for: batch)
    case .tpotMean, .tpotP50, .tpotP99: intervalFactor(.perToken, for: batch)
    case .endToEndMean, .endToEndP99: intervalFactor(.endToEnd, for: batch)
    case .energyPerToken: energyIntervalFactor(for: batch)
    default: nil
    }
  }
}

/// The static batch that is most like what a replay's steps held.
package struct TypicalBatch: Sendable {
  package let batch: BatchCase

  package init(_ result: ServingResult, _ deployment: Deployment) {
    let requests = max(1, result.metrics.completed)
    batch = BatchCase(
      sequences: max(1, Int(result.meanBatch.rounded())) * deployment.parallelism.data,
      inputTokens: max(1, result.metrics.inputTokens / requests),
      outputTokens: max(2, result.metrics.outputTokens / requests))
  }
}

/// A deployment's operators in one step of each kind, all instances of one together.
package enum OperatorRows {
  package static func rows(_ deployment: Deployment, _ batch: BatchCase) -> [OperatorRow] {
    let predictor = Predictor(deployment)
    let steps = [("prefill", predictor.firstPrefillStep(batch)), ("decode", predictor.middleDecodeStep(batch))]
    return steps.flatMap { phase, step in step.map { rows(deployment, phase, $0) } ?? [] }
  }

  private static func rows(_ deployment: Deployment, _ phase: String, _ step: StepShape) -> [OperatorRow] {
    deployment.pricedOperators(step).map { item in
      let count = Double(item.work.count)
      return OperatorRow(
        phase: phase, name: item.work.name, instances: item.work.count, time: item.totalTime.value,
        energy: item.price.energy.value * count, flops: item.work.flops.value * count,
        bytes: item.work.traffic.total.value * count, bound: item.price.bound.rawValue,
        peak: deployment.pricer.rates.rate(item.work.compute).value)
    }
  }
}

/// What a prediction takes for granted, with who says so.
enum AssumptionList {
  static func of(_ deployment: Deployment, _ record: RunRecord) -> [Assumption] {
    let device = deployment.platform.device
    var list = [
      Assumption("model", deployment.model.name, source: "its config.json"),
      Assumption("runtime", deployment.runtime.title, source: citations(deployment.runtime.citations)),
    ]
    if let memory = device.mainMemory {
      list.append(
        Assumption(
          "memory", "\(memory.capacity), \(memory.bandwidth?.description ?? "-")", source: cited(device, "memories")))
    }
    list.append(
      Assumption(
        "compute",
        "\(deployment.pricer.rates.rate(deployment.plan.formats.compute)) in \(deployment.plan.formats.compute.rawValue)",
        source: cited(device, "compute")))
    list.append(
      Assumption("power", "\(device.power.idle) idle, \(device.power.cap) at most", source: cited(device, "power")))
    if let price = device.price?.hourly {
      list.append(Assumption("price", "\(price) a device", source: cited(device, "price")))
    }
    for name in deployment.calibrations {
      let hash = record.provenance.calibrations.first { $0.name == name }?.hash ?? ""
      list.append(Assumption("calibration", name, source: "Hardware/Calibrations/\(name).yaml, hash \(hash)"))
    }
    if let level = deployment.intervals.level {
      let share = ResultTable.Cell.number(level).text(style: .percent)
      list.append(
        Assumption(
          "interval", "\(share) of measurements lie within low to high", source: "errors on rows that fits did not see")
      )
    }
    return list + deployment.notes.map { Assumption("note", $0, source: "chosen for you") }
  }

  private static func cited(_ device: Device, _ part: String) -> String {
    let found = device.citations.filter { $0.key.hasPrefix(part) }.sorted { $0.key < $1.key }.map(\.value)
    return distinct(found)
  }

  private static func citations(_ table: [String: String]) -> String {
    distinct(table.sorted { $0.key < $1.key }.map(\.value))
  }

  private static func distinct(_ texts: [String]) -> String {
    var seen: [String] = []
    for text in texts where !seen.contains(text) { seen.append(text) }
    return seen.isEmpty ? "Ridgeline" : seen.prefix(3).joined(separator: "; ")
  }
}

extension Scenario {
  /// The document it was read from as JSON; an empty table when it was made of options, which the command tells.
  package var json: String { document?.json ?? "{}" }
}
