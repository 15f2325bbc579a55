import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import Quantities

/// Prices the cases of platform scenarios and lays published figures beside them.
package struct PlatformRunner {
  package let library: Library

  package init(library: Library) { self.library = library }

  /// What a case gives, in base units.
  package struct Outcome: Sendable {
    package var stepTime: Double?
    package var ttft: Double?
    package var tpot: Double?
    package var endToEnd: Double?
    package var tokensPerSecond: Double
    package var devices: Int
    package var mainMemory: Double?
    package var dollarsPerHour: Double?
    /// Share of the step exposed, by kind of resource.
    package var exposed: [String: Double] = [:]
    package var energyPerToken: Double
    /// The smallest batch that waits for the devices.
    package var deviceBoundBatch: Int?
    /// Rate of such steps for ever, over that of the first ones.
    package var sustainedShare: Double?
    package var schedule: Schedule?
  }

  /// A published figure beside its prediction.
  package struct Row: Sendable {
    package var platform: String
    package var item: String
    package var plan: String
    package var figure: PlatformScenario.Figure
    package var predicted: Double?
    package var published: Double?
    package var source: String
    package var note: String?
    package var other: String?

    package var ratio: Double? {
      guard let predicted, let published, published != 0 else { return nil }
      return predicted / published
    }
  }

  /// The shipped scenarios, by name.
  package func all() throws -> [PlatformScenario] {
    let folder = PlatformReader.folder(library)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try files.filter { $0.hasSuffix(".yaml") }.sorted().map { file in
      try PlatformReader(library: library).read(path: "\(folder)/\(file)", name: String(file.dropLast(5)))
    }
  }

  /// One scenario by name or path.
  package func find(_ name: String) throws -> PlatformScenario {
    if name.hasSuffix(".yaml") {
      let stem = (name as NSString).lastPathComponent
      return try PlatformReader(library: library).read(path: name, name: String(stem.dropLast(5)))
    }
    let folder = PlatformReader.folder(library)
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".yaml") }
    let names = files.map { String($0.dropLast(5)) }.sorted()
    guard names.contains(name) else {
      throw UnknownName(
        title: "platform", listed: ["platforms"], name: name, nearest: nearestName(to: name, among: names),
        count: names.count)
    }
    return try PlatformReader(library: library).read(path: "\(folder)/\(name).yaml", name: name)
  }

  /// All figures of a scenario, in order; a case without figures gives its rate alone.
  package func rows(_ scenario: PlatformScenario) throws -> [Row] {
    var outcomes: [String: Outcome] = [:]
    for item in scenario.cases { outcomes[item.name] = try outcome(item) }
    return scenario.cases.flatMap { item -> [Row] in
      guard let outcome = outcomes[item.name] else { return [] }
      let figures =
        item.published.isEmpty
        ? [PlatformScenario.Published(figure: .tokensPerSecond, value: nil, other: nil, source: "")] : item.published
      return figures.map { figure in
        Row(
          platform: scenario.name, item: item.name, plan: item.request.plan?.name ?? "resident", figure: figure.figure,
          predicted: value(figure, outcome, other: figure.other.flatMap { outcomes[$0] }), published: figure.value,
          source: figure.source, note: item.note, other: figure.other)
      }
    }
  }

  private func value(
    _ published: PlatformScenario.Published, _ outcome: Outcome, other: Outcome?
  ) -> Double? {
    switch published.figure {
    case .stepTime: outcome.stepTime ?? outcome.tpot
    case .timeToFirstToken: outcome.ttft ?? outcome.stepTime
    case .timePerToken: outcome.tpot ?? outcome.stepTime
    case .endToEnd: outcome.endToEnd
    case .tokensPerSecond: outcome.tokensPerSecond
    case .tokensPerSecondPerDevice: outcome.tokensPerSecond / Double(outcome.devices)
    case .mainMemory: outcome.mainMemory
    case .exposedShare: published.other.map { outcome.exposed[$0] ?? 0 }
    case .throughputRatio: other.map { outcome.tokensPerSecond / $0.tokensPerSecond }
    case .deviceBoundBatch: outcome.deviceBoundBatch.map(Double.init)
    case .deviceBoundRatio:
      other.flatMap { base in
        outcome.deviceBoundBatch.flatMap { own in base.deviceBoundBatch.map { Double(own) / Double($0) } }
      }
    case .sustainedShare: outcome.sustainedShare
    case .timeRatio: other.flatMap { base in time(outcome).flatMap { own in time(base).map { $0 / own } } }
    case .timeDifference: other.flatMap { base in time(outcome).flatMap { own in time(base).map { own - $0 } } }
    case .valueRatio:
      other.flatMap { base in
        outcome.dollarsPerHour.flatMap { own in
          base.dollarsPerHour.map { outcome.tokensPerSecond / own / (base.tokensPerSecond / $0) }
        }
      }
    }
  }

  private func time(_ outcome: Outcome) -> Double? { outcome.stepTime ?? outcome.tpot ?? outcome.endToEnd }

  /// Prices one case.
  package func outcome(_ item: PlatformScenario.Case) throws -> Outcome {
    var request = item.request
    request.plan = request.plan ?? .resident
    let isWhole: Bool
    if case .batch = item.work { isWhole = true } else { isWhole = false }
    // Pipelines and copies of the model are priced in closed form.
    let plain = request.parallelism.pipeline > 1 || request.parallelism.data > 1
    let deployment = try library.deployment(plain ? item.request : request)
    if isWhole { return try whole(item, deployment) }
    return step(item, deployment)
  }

  private func whole(_ item: PlatformScenario.Case, _ deployment: Deployment) throws -> Outcome {
    guard case .batch(let input, let output) = item.work else { return step(item, deployment) }
    let prediction = try Predictor(deployment).predict(
      BatchCase(sequences: item.sequences, inputTokens: input, outputTokens: output))
    let tokens = Double(item.sequences * output)
    return Outcome(
      stepTime: nil, ttft: prediction.ttft.value, tpot: prediction.tpot?.value, endToEnd: prediction.endToEnd.value,
      tokensPerSecond: prediction.outputRate, devices: deployment.parallelism.devices, mainMemory: nil,
      dollarsPerHour: deployment.hourlyPrice?.value, energyPerToken: prediction.energy.value / tokens, schedule: nil)
  }

  private func step(_ item: PlatformScenario.Case, _ deployment: Deployment) -> Outcome {
    let spans = deployment.graph.spans
    let shape = shape(item, sequences: item.sequences, spans)
    let schedule = deployment.placement?.schedule(shape)
    let price = deployment.price(shape)
    let tokens = Double(shape.tokens)
    var exposed: [String: Double] = [:]
    for usage in schedule?.usage ?? [] { exposed[usage.kind.rawValue, default: 0] += usage.exposed / price.time }
    let asksForBalance = item.published.contains { $0.figure == .deviceBoundBatch || $0.figure == .deviceBoundRatio }
    return Outcome(
      stepTime: price.time.value, ttft: nil, tpot: nil, endToEnd: nil, tokensPerSecond: tokens / price.time.value,
      devices: deployment.parallelism.devices,
      mainMemory: deployment.placement?.mainMemory(during: shape).value,
      dollarsPerHour: deployment.rent?.value, exposed: exposed, energyPerToken: price.energy.value / tokens,
      deviceBoundBatch: asksForBalance ? deployment.deviceBoundBatch { self.shape(item, sequences: $0, spans) } : nil,
      sustainedShare: deployment.sustainedShare(of: shape), schedule: schedule)
  }

  private func shape(_ item: PlatformScenario.Case, sequences: Int, _ spans: AttentionSpans) -> StepShape {
    switch item.work {
    case .prefill(let tokens, let context):
      StepShape.prefill(sequences: sequences, tokens: tokens, start: context, spans: spans)
    case .decode(let context), .batch(let context, _):
      StepShape.decode(sequences: sequences, context: context, spans: spans)
    }
  }
}
