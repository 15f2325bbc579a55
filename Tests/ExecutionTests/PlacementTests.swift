import CostModels
import Documents
import EventKernel
import Execution
import ModelGraph
import Quantities
import TestSupport
import Testing

/// Plans on shipped systems.
enum Placed {
  static let library = Result { try Library(folder: Repository.folder) }

  static func deployment(
    _ model: String, _ hardware: String, _ plan: String? = "resident", runtime: String = "hugging-face",
    tensor: Int = 1, formats: FormatRequest = FormatRequest(), change: (inout PlacementPlan) -> Void = { _ in }
  ) throws -> Deployment {
    let library = try library.get()
    var request = Library.Request(
      model: model, hardware: hardware, runtime: runtime, formats: formats,
      parallelism: Parallelism(tensor: tensor))
    if let plan {
      var found = try library.plans.find(plan)
      change(&found)
      request.plan = found
    }
    return try library.deployment(request)
  }

  /// A decode step on the plan, scheduled.
  static func decode(_ deployment: Deployment, batch: Int = 1, context: Int) throws -> Schedule {
    let placement = try #require(deployment.placement)
    return placement.schedule(
      StepShape.decode(sequences: batch, context: context, spans: deployment.graph.spans))
  }
}

@Suite struct PlacementTests {
  // MARK: The closed form

  @Test(arguments: [
    ("llama-3-8b", "h100-sxm", 1), ("llama-3-8b", "hgx-h100", 4), ("mixtral-8x7b", "h200-sxm", 1),
    ("deepseek-v2-lite", "h100-sxm", 1), ("gemma-2-9b", "a100-sxm-80gb", 1), ("opt-13b", "rtx-a6000", 1),
    ("llama-3.2-1b", "core-i9-12900k", 1),
  ])
  func everythingOnOneDeviceEqualsTheClosedForm(model: String, hardware: String, tensor: Int) throws {
    let plain = try Placed.deployment(model, hardware, nil, tensor: tensor)
    let placed = try Placed.deployment(model, hardware, tensor: tensor)
    for runtime in [plain.runtime.name] {
      #expect(placed.runtime.name == runtime)
      let spans = plain.graph.spans
      var mixed = StepShape.decode(sequences: 7, context: 900, spans: spans)
      mixed.addPrefill(sequences: 2, tokens: 300, start: 40, last: true, spans: spans)
      for step in [
        StepShape.decode(sequences: 1, context: 100, spans: spans),
        StepShape.decode(sequences: 33, context: 4000, spans: spans),
        StepShape.prefill(sequences: 2, tokens: 700, spans: spans), mixed,
      ] {
        let (expected, found) = (plain.price(step), placed.price(step))
        #expect(near(found.time.value, expected.time.value, within: 1e-7))
        #expect(near(found.energy.value, expected.energy.value, within: 1e-6))
        #expect(near(found.flops.value, expected.flops.value))
      }
    }
  }

  @Test(arguments: ["llama-3-8b", "mixtral-8x7b", "deepseek-v2-lite", "gemma-2-9b", "jamba-v0.1", "switch-base-8"])
  func layersHoldTheOperatorsOfTheStep(model: String) throws {
    guard Repository.modelNames.contains(model) else { return }
    let graph = try Repository.graph(model)
    var step = StepShape.decode(sequences: 3, context: 500, spans: graph.spans)
    step.addPrefill(sequences: 1, tokens: 64, start: 0, last: true, spans: graph.spans)
    if graph.model.encoder != nil {
      step.encoderTokens = 20
      step.encoderSequences = 1
      step.encoderPairs = 400
      step.crossKeys = 60
    }
    let (merged, layered) = (graph.operators(for: step), graph.layered(for: step))
    #expect(near(merged.totalFLOPs, layered.all.totalFLOPs))
    #expect(near(merged.totalTraffic.total.value, layered.all.totalTraffic.total.value))
    #expect(layered.layers.filter { !$0.isEncoder }.count == graph.model.decoder.layerCount)
  }

  @Test func aPlanGivesPredictionsAndLedgersOfItsOwn() throws {
    let resident = try Placed.deployment("llama-3-8b", "gaming-pc")
    let offloaded = try Placed.deployment("llama-3-8b", "gaming-pc", "kv-host-heads")
    // 120 GiB of host memory less a tenth, over 131,072 B a token; a pair of heads passes through the GPU.
    let tokens = try #require(offloaded.memoryLedger().longestContext(sequences: 1))
    #expect(near(Double(tokens), 0.9 * 120 * 1_073_741_824 / 131_072, within: 0.01))
    let plainTokens = try #require(resident.memoryLedger().longestContext(sequences: 1))
    #expect(tokens > 10 * plainTokens)
    let batch = BatchCase(sequences: 1, inputTokens: 4000, outputTokens: 16)
    let slow = try Predictor(offloaded).predict(batch)
    let fast = try Predictor(resident).predict(batch)
    let (late, early) = (try #require(slow.tpot), try #require(fast.tpot))
    #expect(late > early)
  }

  // MARK: Copies

  /// Every step moves all weights that are not there, and takes at least as long as their way does.
  @Test func weightsThatLiveElsewhereCrossTheLinkEachStep() throws {
    let placed = try Placed.deployment("opt-13b", "gaming-pc", "weights-host")
    let schedule = try Placed.decode(placed, context: 512)
    let link = try #require(schedule.usage.first { $0.name == "gpu-cpu pcie-4 <" })
    let bytes = placed.graph.weightParts.dense.value
    // Norms and biases are in the parameter count and not in products: a hundredth at most.
    let moved = try #require(link.moved).value
    #expect(near(moved, bytes, within: 0.01))
    #expect(schedule.time.value >= bytes / (0.794 * 16 * 1.969e9) * 0.99)
  }

  @Test func prefetchingHidesCopiesBehindComputing() throws {
    func time(_ prefetch: Int) throws -> Double {
      let placed = try Placed.deployment("opt-13b", "gaming-pc", "weights-host") { $0.weights.prefetch = prefetch }
      let placement = try #require(placed.placement)
      return placement.schedule(StepShape.prefill(sequences: 4, tokens: 512, spans: placed.graph.spans)).time.value
    }
    let (none, one, many) = (try time(0), try time(1), try time(8))
    #expect(one < 0.95 * none)
    #expect(many <= one * 1.0001)
  }

  @Test func aHalfResidentModelMovesHalf() throws {
    func moved(_ share: Double) throws -> Double {
      let placed = try Placed.deployment("opt-13b", "gaming-pc", "weights-host") { $0.weights.resident = .share(share) }
      let schedule = try Placed.decode(placed, context: 512)
      return schedule.usage.first { $0.name == "gpu-cpu pcie-4 <" }?.moved?.value ?? 0
    }
    let (half, whole) = (try moved(0.5), try moved(0))
    #expect(near(half, 0.5 * whole, within: 1e-6))
  }

  /// Reading in a circle through a cache that is too small finds nothing; a pinned part is found.
  @Test func aPageCacheThatIsTooSmallIsReadWhole() throws {
    func read(_ plan: String) throws -> Double {
      let placed = try Placed.deployment("opt-66b", "gaming-pc", plan)
      let usage = try Placed.decode(placed, context: 512).usage.first { $0.name == "ssd controller" }
      return try #require(usage?.moved).value
    }
    let all = try Placed.deployment("opt-66b", "gaming-pc", "weights-ssd").graph.weightParts.dense.value
    let (circle, pinned) = (try read("weights-ssd"), try read("weights-ssd-pinned"))
    #expect(near(circle, all, within: 0.01))
    #expect(pinned < 0.9 * all)
  }

  // MARK: Knobs

  @Test func elasticitiesSayWhatTheStepWaitsFor() throws {
    let placed = try Placed.deployment("llama-3-8b", "gaming-pc", "kv-host")
    let step = StepShape.decode(sequences: 1, context: 200_000, spans: placed.graph.spans)
    let found = try #require(placed.placement).elasticities(step)
    #expect(found[0].name == "gpu-cpu pcie-4 bandwidth")
    // All but a few milliseconds of 1.05 s are the copy.
    #expect(found[0].value > 0.95)
    #expect(found.dropFirst().allSatisfy { $0.value < 0.05 })
  }

  @Test func aPowerLimitAndAClockTradeTimeForEnergy() throws {
    let library = try Placed.library.get()
    var request = Library.Request(model: "llama-3-8b", hardware: "h100-sxm", runtime: "vllm-v1")
    let spans = try library.deployment(request).graph.spans
    let step = StepShape.prefill(sequences: 1, tokens: 4096, spans: spans)
    let free = try library.deployment(request).price(step)
    request.powerCap = Watts(400)
    let capped = try library.deployment(request).price(step)
    #expect(capped.time > free.time)
    #expect(capped.energy / capped.time <= Watts(400.01))
    request.powerCap = nil
    request.clock = 0.7
    let slow = try library.deployment(request).price(step)
    #expect(slow.time > free.time)
    #expect(slow.energy < free.energy)
  }

  // MARK: Faults

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test func whatAPlanLacksIsSaidInOneMessage() {
    let noHost = message { _ = try Placed.deployment("llama-3-8b", "h100-sxm", "kv-host") }
    #expect(noHost.hasPrefix("the plan needs a host processor with memory ('host') and h100-sxm has none"))
    let nowhere = message { _ = try Placed.deployment("llama-3.1-405b", "gaming-pc", "weights-host") }
    #expect(nowhere.contains("do not fit on cpu"))
    let noExperts = message { _ = try Placed.deployment("llama-3-8b", "gaming-pc", "experts-host") }
    #expect(noExperts == "plan 'experts-host' puts experts on host, and llama-3-8b has none")
    let noPool = message { _ = try Placed.deployment("llama-3-8b", "gaming-pc", "attention-pool") }
    #expect(noPool == "gaming-pc has no place 'pool'; it has gpu, cpu, ssd")
    let wrong = message {
      _ = try Placed.deployment("llama-3-8b", "gaming-pc") { $0.stages = [Stage(at: "gpu", layers: 31)] }
    }
    #expect(wrong == "plan 'resident' places 31 layers and the model has 32")
    let drive = message {
      _ = try Placed.deployment("llama-3-8b", "gaming-pc") { $0.stages = [Stage(at: "ssd", layers: 32)] }
    }
    #expect(drive == "ssd is a drive without engines and cannot compute layers")
    let apart = message {
      _ = try Placed.deployment("llama-3-8b", "gaming-pc", "attention-cpu") { $0.kv.home = "storage" }
    }
    #expect(apart.contains("it must be where attention is"))
  }

  @Test func aLinkThatDoesNotExistIsSaid() {
    let noLink = message {
      _ = try Placed.deployment("llama-3-8b", "home-cluster") {
        $0.stages = [Stage(at: "mac-soc", layers: 16), Stage(at: "desktop-gpu", layers: 16)]
        $0.client = "nobody"
      }
    }
    #expect(noLink.hasPrefix("home-cluster has no place 'nobody'"))
  }

  @Test func placesThatNothingJoinsAreNamed() throws {
    let found = message {
      _ = try Placed.deployment("llama-3-8b", "sn40l-node", "kv-host-heads") { $0.kv.home = "tier" }
    }
    #expect(found == "", "the tier of a device is joined to it: \(found)")
    let apart = message {
      _ = try Placed.deployment("llama-3-8b", "edge-cloud") {
        $0.stages = [Stage(at: "gpu", layers: 32)]
        $0.client = "nowhere"
      }
    }
    #expect(apart == "edge-cloud has no place 'nowhere'; it has phone, gpu")
  }

  @Test func aDeviceThatLacksTheFormatIsNamed() {
    var formats = FormatRequest()
    formats.activations = .bf16
    let found = message {
      _ = try Placed.deployment("llama-3-8b", "home-cluster", runtime: "llama-cpp", formats: formats) {
        $0.stages = [Stage(at: "mac-soc", layers: 16), Stage(at: "desktop-gpu", layers: 16)]
      }
    }
    #expect(found.contains("has no bf16 arithmetic"))
  }

  @Test func aTableAndHeadApartFromTheClientAreRefused() {
    let apart = message {
      _ = try Placed.deployment("llama-3-8b", "edge-cloud") {
        $0.stages = [Stage(at: "gpu", layers: 32)]
        $0.tables = "phone"
      }
    }
    #expect(
      apart == "plan 'resident' has token table and head on phone, which must be its client: tokens start and end there"
    )
  }

  /// Absurd plans bring one message or a schedule of finite, positive times: never a crash.
  @Test func absurdPlansBringOneMessageOrAFiniteStep() throws {
    var stream = RandomStream(seed: 5, name: "absurd-plans")
    let homes = [nil, "host", "storage", "main", "nobody", "gpu", "cpu", "ssd"]
    let plans = ["resident", "weights-host", "kv-host", "kv-ssd", "experts-cpu", "experts-host", "attention-cpu"]
    var steps = 0
    for _ in 0..<120 {
      let text = message {
        let model = ["llama-3.2-1b", "mixtral-8x7b", "opt-13b"][stream.integer(below: 3)]
        let placed = try Placed.deployment(model, "gaming-pc", plans[stream.integer(below: plans.count)]) { plan in
          plan.weights.home = homes[stream.integer(below: homes.count)]
          plan.weights.resident = stream.uniform() < 0.5 ? .automatic : .share(stream.uniform())
          plan.weights.prefetch = stream.integer(below: 1025)
          plan.kv.home = homes[stream.integer(below: homes.count)]
          plan.kv.chunk = 1 + stream.integer(below: 100_000)
          plan.kv.unit = CachePlacement.Unit.allCases[stream.integer(below: 3)]
          plan.kv.copies = 1 + 3 * stream.uniform()
          plan.experts.fetch = ExpertPlacement.Fetch.allCases[stream.integer(below: 6)]
          plan.experts.resident = stream.uniform() < 0.5 ? .automatic : .share(stream.uniform())
          plan.copies.start = Seconds(stream.uniform() < 0.1 ? 1e6 : 0)
          plan.copies.staging = stream.uniform() < 0.3 ? BytesPerSecond(1) : nil
          plan.microBatches = 1 + stream.integer(below: 40)
          plan.units = stream.uniform() < 0.2 ? ["host": 1 + stream.integer(below: 100_000)] : [:]
          plan.workers = stream.uniform() < 0.2 ? ["host": 1 + stream.integer(below: 4096)] : [:]
          plan.memory = stream.uniform() < 0.2 ? ["host": .size(Bytes(1))] : [:]
        }
        let time = try Placed.decode(
          placed, batch: 1 + stream.integer(below: 64), context: 2 + stream.integer(below: 9000)
        )
        .time.value
        #expect(time.isFinite && time > 0)
        steps += 1
      }
      #expect(text.split(separator: "\n").count <= 1)
    }
    #expect(steps > 5)
  }
}
