import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities
import Testing

@testable import Studies

@Suite struct SizeTests {
  private func request(_ limits: [SizeObjective], rate: Double = 20) throws -> SizeRequest {
    var scenario = try scenario("traffic: {name: chat-short, rate_per_s: \(rate)}", "horizon: {requests: 300}")
    scenario.model = nil
    var request = SizeRequest(
      models: [Located("llama-3-8b")], hardware: [Located("l4"), Located("h100-sxm")], runtime: Located("vllm-v1"),
      scenario: scenario, objectives: SizeObjectives(limits),
      precisions: [FormatRequest(), FormatRequest(weights: .fp8, activations: .fp8)])
    request.requests = 400
    request.tensorDegrees = [1, 2]
    request.pipelineDegrees = [1]
    request.shortlist = 1
    return request
  }

  private static let usual = [
    SizeObjective(.timeToFirstToken, within: Seconds(1), share: 0.99),
    SizeObjective(.timePerOutputToken, within: Seconds(0.06), share: 0.95),
  ]

  private func answer(_ request: SizeRequest) throws -> SizeAnswer {
    try SizeRunner(request, runner: Shipped.runner()).run()
  }

  @Test func whatIsSizedMeetsItsObjectivesAndOneReplicaLessDoesNot() throws {
    var request = try request(Self.usual, rate: 25)
    request.shortlist = 2
    let answer = try answer(request)
    let judge = SizeJudge(
      request: request, runner: try Shipped.runner(), requests: request.requests(for: answer.demand),
      onTrial: {})
    #expect(answer.candidates > 100)
    for outcome in answer.outcomes {
      let best = try #require(outcome.best, "\(outcome.hardware)")
      #expect(best.trial.meets && best.headroom >= 0)
      for item in best.trial.reached { #expect(item.value <= item.objective.limit.value) }
      #expect(best.replicaRange.contains(best.trial.replicas + best.trial.prefillReplicas))
      guard best.trial.replicas > 1 else { continue }
      let fewer = try judge.trial(
        best.candidate, replicas: best.trial.replicas - 1, prefill: best.trial.prefillReplicas)
      #expect(!fewer.meets)
    }
    let prices = answer.outcomes.compactMap { $0.best?.hourly }
    #expect(prices == prices.sorted())
  }

  @Test func moneyIsRentOverTokens() throws {
    let best = try #require(try answer(request(Self.usual)).outcomes.first?.best)
    let hourly = try #require(best.hourly)
    let device = try #require(best.deployment.platform.device.price?.hourly?.value)
    #expect(abs(hourly - device * Double(best.devices)) < 1e-9)
    let tokens = Double(best.trial.outputTokens) / best.trial.duration.value * 3600
    #expect(abs(try #require(best.perMillionOutput) - hourly / tokens * 1e6) < 1e-9)
  }

  @Test func objectivesThatCannotBeMetNameWhatBindsAndByHowMuch() throws {
    let tight = SizeObjective(.timePerOutputToken, within: Seconds(0.0001), share: 0.99)
    let outcomes = try answer(request(Self.usual.prefix(1) + [tight])).outcomes
    for outcome in outcomes {
      #expect(outcome.best == nil)
      let obstacle = try #require(outcome.obstacle)
      #expect(obstacle.text.hasPrefix("TPOT within 100 us for 99 % binds"))
      #expect(obstacle.excess > 5 && obstacle.excess.isFinite)
    }
  }

  @Test func aBudgetThatIsTooSmallBinds() throws {
    var request = try request(Self.usual)
    request.budget = DollarsPerHour(0.01)
    for outcome in try answer(request).outcomes {
      #expect(outcome.best == nil)
      #expect(outcome.obstacle?.text.contains("the budget of 0.01 USD/h binds") == true)
    }
  }

  @Test func nothingAskedIsRefused() throws {
    #expect(throws: ScenarioError.self) { _ = try answer(request([])) }
  }

  @Test func theClosedFormIsNearTheEngine() throws {
    let answer = try answer(request(Self.usual, rate: 30))
    for best in answer.outcomes.compactMap(\.best) where best.candidate.layout == .aggregated {
      let ratio = Double(best.trial.replicas) / Double(best.candidate.replicas)
      #expect((0.5...2).contains(ratio), "\(best.candidate)")
    }
  }

  @Test func launchLinesNameThePlan() throws {
    let deployment = try Shipped.library().deployment(
      Library.Request(
        model: "llama-3-8b", hardware: "h100-sxm", runtime: "vllm-v1",
        formats: FormatRequest(weights: .fp8, activations: .fp8, kv: .fp8), parallelism: Parallelism(tensor: 2)))
    let lines = LaunchLines(checkpoint: "meta-llama/X", deployment, sequences: 64, length: 4096).all
    #expect(lines.map(\.runtime) == ["vLLM", "SGLang", "TensorRT-LLM", "llama.cpp"])
    #expect(
      lines[0].command.contains("--tensor-parallel-size 2 --max-num-seqs 64")
        && lines[0].command.contains("--quantization fp8"))
    #expect(lines[1].command.contains("--tp 2") && lines[2].command.contains("--tp_size 2"))
    #expect(lines[3].command.contains("--ctx-size 262144") && lines[3].command.contains("--outtype q8_0"))
    #expect(lines.map { $0.needs != nil } == [false, false, true, false])
  }

  @Test func launchLinesNameStagesAndSpreadExperts() throws {
    let deployment = try Shipped.library().deployment(
      Library.Request(
        model: "mixtral-8x7b", hardware: "h100-sxm", runtime: "vllm-v1",
        formats: FormatRequest(weights: .int4Group128), parallelism: Parallelism(tensor: 2, pipeline: 2, expert: 2)))
    let lines = LaunchLines(checkpoint: "mistralai/X", deployment, sequences: 8, length: 1000).all.map(\.command)
    #expect(lines[0].contains("--pipeline-parallel-size 2 --enable-expert-parallel"))
    #expect(lines[1].contains("--pp-size 2 --ep-size 2") && lines[1].contains("--torchao-config int4wo-128"))
    #expect(lines[2].contains("--pp_size 2 --ep_size 2"))
    #expect(lines[3].contains("Q4_0 && llama-server --model model-q4.gguf"))
    #expect(lines[3].contains("--split-mode layer --tensor-split 1,1,1,1"))
  }

  @Test func stagesAndSpreadExpertsAreCandidates() throws {
    var request = try request(Self.usual, rate: 10)
    request.models = [Located("mixtral-8x7b")]
    request.hardware = [Located("h100-sxm")]
    request.precisions = [FormatRequest()]
    request.layouts = [.aggregated]
    request.tensorDegrees = [2]
    request.pipelineDegrees = [2]
    request.expertLayouts = [.spread]
    let best = try #require(try answer(request).outcomes.first?.best)
    #expect(best.candidate.parallelism == Parallelism(tensor: 2, pipeline: 2, expert: 2))
    #expect(best.candidate.plan.contains("x tp2 pp2 ep2") && best.devices == 4 * best.trial.replicas)
    #expect(best.trial.meets)
    // A dense model has no experts to spread.
    request.models = [Located("llama-3-8b")]
    #expect(try answer(request).outcomes.first?.best == nil)
  }

  @Test func theLossOfANodeTakesAllItsReplicas() throws {
    let slow = SizeObjective(.timePerOutputToken, within: Seconds(0.2), share: 0.95)
    var request = try request(Self.usual.prefix(1) + [slow], rate: 10)
    request.models = [Located("llama-3.1-70b")]
    request.hardware = [Located("l4")]
    request.precisions = [FormatRequest(weights: .fp8, activations: .fp8)]
    request.layouts = [.aggregated]
    request.tensorDegrees = [4]
    let best = try #require(try answer(request).outcomes.first?.best)
    try #require(best.trial.replicas > 2)
    #expect(best.nodeLoss.replicas == 2 && best.nodeLoss.prefillReplicas == 0)
    let left = try #require(best.nodeLoss.left)
    #expect(left.replicas == best.trial.replicas - 2 && !left.meets)
  }
}

@Suite struct RequirementTests {
  private func deployment(tensor: Int = 1) throws -> Deployment {
    try Shipped.library().deployment(
      Library.Request(
        model: "llama-3-8b", hardware: "h100-sxm", runtime: "vllm-v1", parallelism: Parallelism(tensor: tensor)))
  }

  private let batch = BatchCase(sequences: 16, inputTokens: 1024, outputTokens: 256)

  private func objectives(ttft: Double? = nil, tpot: Double? = nil) -> Requirement.Objectives {
    var objectives = Requirement.Objectives()
    objectives.firstToken = ttft.map { Seconds($0) }
    objectives.perToken = tpot.map { Seconds($0) }
    return objectives
  }

  @Test func theLeastNumberJustKeepsTheObjectives() throws {
    let deployment = try deployment()
    let now = try #require(try Predictor(deployment).predict(batch).tpot)
    let requirement = Requirement(deployment, batch, objectives(tpot: now.value * 0.8))
    #expect(!requirement.isMet)
    let need = try #require(requirement.needs().first { $0.number == .memoryBandwidth })
    #expect(need.binds)
    let alone = try #require(need.alone)
    for (factor, holds) in [(1.01, true), (0.97, false)] {
      var scale = HardwareScale()
      scale[.memoryBandwidth] = alone / need.has * factor
      let tpot = try #require(try Predictor(deployment.scaled(by: scale)).predict(batch).tpot)
      #expect((tpot.value <= now.value * 0.8) == holds)
    }
    #expect(try #require(need.floor) <= alone)
  }

  @Test func prefillAsksForComputeAndDecodeForBandwidth() throws {
    let deployment = try deployment()
    let prediction = try Predictor(deployment).predict(batch)
    let first = Requirement(deployment, batch, objectives(ttft: prediction.ttft.value / 2)).needs().filter(\.binds)
    #expect(first.map(\.number) == [.compute])
    let token = Requirement(deployment, batch, objectives(tpot: try #require(prediction.tpot).value / 2)).needs()
      .filter(\.binds)
    #expect(token.map(\.number) == [.memoryBandwidth])
  }

  @Test func aPlatformThatIsEnoughIsMet() throws {
    let requirement = Requirement(try deployment(), batch, objectives(ttft: 10, tpot: 1))
    #expect(requirement.isMet && requirement.needs().allSatisfy { !$0.binds })
  }

  @Test func theCapacityFloorIsWhatTheLedgerFills() throws {
    let deployment = try deployment()
    let need = try #require(
      Requirement(deployment, batch, objectives(tpot: 1)).needs().first { $0.number == .memoryCapacity })
    let ledger = deployment.memoryLedger()
    let filled = ledger.weights + ledger.activations + ledger.reserved + ledger.cache(tokens: 1279) * 16
    #expect(abs(try #require(need.floor) * deployment.runtime.memoryFraction / filled.value - 1) < 0.01)
  }

  @Test func isoCurvesFallAndEveryPointJustKeepsTheObjectives() throws {
    let deployment = try deployment()
    let prediction = try Predictor(deployment).predict(batch)
    let requirement = Requirement(deployment, batch, objectives(ttft: prediction.ttft.value, tpot: 0.006))
    let curve = requirement.isoCurve()
    #expect(curve.count > 10)
    for (a, b) in zip(curve, curve.dropFirst()) { #expect(b.compute > a.compute && b.bandwidth <= a.bandwidth * 1.002) }
  }

  @Test func grownModelsHaveTheParametersAskedFor() throws {
    let library = try Shipped.library()
    for (name, wanted) in [("llama-3.1-70b", 1e12), ("deepseek-v3", 10e12), ("mixtral-8x7b", 5e11)] {
      let path = "\(library.folder)/Workloads/Models/\(name)/config.json"
      let model = try HypotheticalModel.grown(path, name: name, parameters: wanted, context: 10_000_000)
      #expect(abs(Double(model.parameterCount) / wanted - 1) < 0.02, "\(name) \(model.parameterCount)")
      #expect(model.contextLimit == 10_000_000)
    }
  }
}

@Suite struct EnergyTests {
  private func study(_ hardware: String = "h100-sxm", sequences: Int = 32) throws -> EnergyStudy {
    let deployment = try Shipped.library().deployment(
      Library.Request(model: "llama-3-8b", hardware: hardware, runtime: "vllm-v1"))
    return EnergyStudy(deployment, BatchCase(sequences: sequences, inputTokens: 1024, outputTokens: 256))
  }

  @Test(arguments: [1, 16, 64]) func partsAddUpToTheWhole(sequences: Int) throws {
    let study = try study(sequences: sequences)
    let (prompts, answers) = try #require(study.parts())
    let whole = try Predictor(study.deployment).predict(study.batch).energy
    #expect(abs((prompts + answers).total / whole - 1) < 1e-9)
    #expect((prompts + answers).named.allSatisfy { $0.energy >= .zero })
  }

  @Test func partsOfAStepAddUpToItsPrice() throws {
    for tensor in [1, 4] {
      let deployment = try Shipped.library().deployment(
        Library.Request(
          model: "llama-3-8b", hardware: "a100-sxm-80gb", runtime: "vllm-v1", parallelism: Parallelism(tensor: tensor)))
      let step = try #require(
        Predictor(deployment).middleDecodeStep(BatchCase(sequences: 16, inputTokens: 512, outputTokens: 128)))
      let parts = EnergyParts(deployment, step)
      #expect(abs(parts.total / deployment.price(step).energy - 1) < 1e-6)
      #expect((parts.links > .zero) == (tensor > 1))
    }
  }

  @Test func powerOverTimeAddsUpToTheEnergy() throws {
    let study = try study(sequences: 16)
    let prediction = try Predictor(study.deployment).predict(study.batch)
    let stretches = study.powerOverTime()
    #expect(stretches.first?.from == .zero && stretches.first?.phase == .prompts)
    #expect(abs((stretches.last?.to ?? .zero) / prediction.endToEnd - 1) < 1e-9)
    for (one, next) in zip(stretches, stretches.dropFirst()) { #expect(abs(one.to / next.from - 1) < 1e-9) }
    let sum = stretches.reduce(Joules.zero) { $0 + $1.power * ($1.to - $1.from) }
    #expect(abs(sum / prediction.energy - 1) < 0.02)
  }

  @Test func theHighestClockChangesNothing() throws {
    let study = try study()
    let plain = try Predictor(study.deployment).predict(study.batch)
    let point = try #require(study.point(clock: 1))
    #expect(abs(point.perToken / (try #require(plain.tpot)) - 1) < 1e-12)
    #expect(abs(point.power / plain.power - 1) < 1e-12)
  }

  /// Published: decode on an H200 saves up to 32 % with a locked clock and hardly slows (arXiv 2605.11999); 42 % of the
  /// energy at 1 to 6 % more time (arXiv 2501.08219).
  @Test func theKneeOfTheClockIsWherePublishedStudiesFindIt() throws {
    for hardware in ["h100-sxm", "h200-sxm"] {
      let study = try study(hardware)
      let points = study.clocks()
      let (knee, top) = (try #require(EnergyStudy.knee(points)), try #require(points.last))
      let saved = 1 - knee.energyPerToken / top.energyPerToken
      #expect((0.15...0.45).contains(saved), "\(hardware) saves \(saved)")
      #expect(knee.perToken / top.perToken < 1.06)
      #expect((0.3...0.85).contains(knee.clock))
    }
  }

  @Test func objectivesMoveTheKnee() throws {
    var study = try study()
    let free = try #require(EnergyStudy.knee(study.clocks()))
    study.mostFirstToken = free.firstToken * 0.9
    let bound = try #require(EnergyStudy.knee(study.clocks()))
    #expect(bound.clock > free.clock && bound.energyPerToken > free.energyPerToken)
    study.mostFirstToken = Seconds(1e-6)
    #expect(EnergyStudy.knee(study.clocks()) == nil)
  }

  @Test func capsAreKept() throws {
    let study = try study(sequences: 64)
    let points = study.caps()
    for point in points where point.clock > study.deployment.lowestClock {
      #expect(point.power <= (try #require(point.cap)) * 1.001)
    }
    for (a, b) in zip(points, points.dropFirst()) { #expect(b.clock >= a.clock - 1e-9) }
  }

  @Test func voltageFallsWithTheClockToItsFloor() {
    #expect(VoltageCurve.voltage(at: 1) == 1)
    #expect(abs(VoltageCurve.voltage(at: 0.855) - 0.809) < 1e-12)
    #expect(VoltageCurve.voltage(at: 0.2) == VoltageCurve.floor)
    #expect(VoltageCurve.power(at: 0.5) < 0.25)
  }

  @Test func aDayOfAFleetAddsUp() throws {
    let study = try study()
    let prediction = try Predictor(study.deployment).predict(study.batch)
    let site = try Shipped.library().sites().find("world-average")
    var settings = FleetDay.Settings(rate: 50)
    let day = FleetDay(study.deployment, study.batch, prediction, settings, site: site)
    let rates = day.hours.map(\.rate)
    #expect(abs(rates.reduce(0, +) / 24 - 50) < 1e-9)
    #expect(rates.firstIndex(of: rates.max() ?? 0) == 15)
    #expect(day.hours.allSatisfy { $0.utilisation <= settings.utilisation + 1e-9 })
    // Busy energy by hand: the batch's, as often as it runs in a day.
    let batches = 50.0 * 86_400 / Double(study.batch.sequences)
    let busy = site.kilowattHours(prediction.energy * batches)
    let idle = day.kilowattHours * day.idleShare
    #expect(abs((busy + idle) / day.kilowattHours - 1) < 1e-9)
    settings.scales = true
    let scaled = FleetDay(study.deployment, study.batch, prediction, settings, site: site)
    #expect(scaled.kilowattHours < day.kilowattHours)
  }

  @Test func carbonFollowsTheHours() throws {
    let study = try study()
    let prediction = try Predictor(study.deployment).predict(study.batch)
    let site = try Shipped.library().sites().find("california")
    let day = FleetDay(study.deployment, study.batch, prediction, FleetDay.Settings(rate: 50), site: site)
    for hour in day.hours { #expect(abs(hour.kilograms / hour.kilowattHours - site.carbon[hour.hour] / 1000) < 1e-12) }
  }

  @Test func everySiteReadsAndNamesItsSources() throws {
    let sites = try Shipped.library().sites().all()
    #expect(sites.count >= 4)
    for site in sites {
      #expect(site.carbon.count == 24)
      for field in ["pue", "electricity_usd_per_kwh", "lifetime_years", "capital_factor"] {
        #expect(site.citations[field] != nil, "\(site.name) \(field)")
      }
    }
  }
}
