import Execution
import Quantities
import Serving
import Studies
import Testing

@Suite struct ScenarioFileTests {
  @Test func `every shipped scenario names what there is, and serves`() throws {
    let library = try Shipped.library()
    let builder = ScenarioBuilder(library: library)
    let scenarios = try library.scenarios().all()
    #expect(scenarios.count >= 6)
    for var scenario in scenarios {
      #expect(!scenario.title.isEmpty && scenario.title.count < 100, "\(scenario.name)")
      scenario.traffic.requests = 50
      let run = try ScenarioRunner(builder).run(scenario)
      #expect(run.result.metrics.completed > 0 && run.series.count == run.result.arrived, "\(scenario.name)")
    }
  }

  @Test func `a pool inherits from its scenario what it does not say`() throws {
    let split = try scenario(
      "limits: {max_num_seqs: 32, num_kv_blocks: 500}", "prefix_cache: true",
      "pools: [{name: a, role: prefill}, {name: b, role: decode, replicas: 2, limits: {max_num_seqs: 8}, prefix_cache: false}]",
      "transfers: {bandwidth: 1 GB/s}")
    let plan = try ScenarioBuilder(library: Shipped.library()).cluster(split)
    #expect(plan.pools.map(\.count) == [1, 2] && plan.pools.map(\.role) == [.prefill, .decode])
    #expect(plan.pools.map(\.replica.limits.maxSequences) == [32, 8])
    #expect(plan.pools.map(\.replica.limits.blocks) == [500, 500])
    #expect(plan.pools.map(\.replica.options.prefixCache) == [true, false])
    #expect(plan.transfers?.bandwidth == BytesPerSecond(1e9))
  }

  @Test func `a policy may be a text or a table, and means the same`() throws {
    for scheduler in ["sarathi:chunk=256", "{name: sarathi, chunk: 256}"] {
      let plan = try ScenarioBuilder(library: Shipped.library()).cluster(scenario("scheduler: \(scheduler)"))
      #expect(plan.scheduler.batching?.tokens == 256)
    }
    let formula = try scenario(#"scheduler: {name: expression, key: "min(input_tokens, 10) - waited"}"#)
    #expect(try ScenarioBuilder(library: Shipped.library()).cluster(formula).scheduler.lengths == .none)
  }

  @Test func `what a scenario leaves open is the runtime's`() throws {
    let builder = ScenarioBuilder(library: try Shipped.library())
    func replica(_ runtime: String) throws -> ReplicaPlan {
      try builder.cluster(scenario("runtime: \(runtime)")).pools[0].replica
    }
    #expect(try replica("vllm-v1").batching?.mix == .chunked && replica("vllm-v1").options.prefixCache)
    #expect(try replica("vllm-v0").batching?.mix == .prefillFirst && !replica("vllm-v0").options.prefixCache)
    #expect(try replica("orca").batching?.mix == .mixed)
    #expect(try replica("fastertransformer").batching?.mix == .static)
    // The model has 2048 positions, divided between four slots.
    #expect(try replica("llama-cpp").limits.maxModelLength == 512 && replica("llama-cpp").limits.maxSequences == 4)
  }

  @Test func `swapping takes the device's own host link`() throws {
    // OPT-125M: 12 layers x 2 x 768 x 2 B x 16 tokens = 589,824 B a block; the T4 has PCIe 3 x16, 0.985 GB/s a lane.
    let plan = try ScenarioBuilder(library: Shipped.library()).cluster(
      scenario("preemption: {method: swap, host_memory: 1 GiB}"))
    let options = plan.pools[0].replica.options
    #expect(options.swapBlocks == 1_073_741_824 / 589_824)
    #expect(abs(options.swapTime.value - 589_824 / 15.76e9) < 0.02 * 589_824 / 15.76e9, "\(options.swapTime)")
    let given = try ScenarioBuilder(library: Shipped.library()).cluster(
      scenario("preemption: {method: swap, bandwidth: 1 GB/s}"))
    #expect(abs(given.pools[0].replica.options.swapTime.value - 589_824e-9) < 1e-12)
  }

  @Test func `traffic stops at the horizon`() throws {
    let run = try Shipped.runner().run(scenario("horizon: {time: 20 s}", "traffic: {name: steady, rate_per_s: 2}"))
    // The first request comes at 0 s and one every half second, up to and with 20 s.
    #expect(run.series.count == 41)
  }

  private static let faults: [(lines: [String], parts: [String])] = [
    (["schedular: fcfs"], ["test.yaml:", "schedular", "unknown key", "did you mean 'scheduler'?"]),
    (["scheduler: fcsf"], ["scheduler", "unknown scheduler 'fcsf'", "did you mean 'fcfs'?"]),
    (["scheduler: {name: sarathi, chunks: 4}"], ["has no parameter 'chunks'", "did you mean 'chunk'?"]),
    (["scheduler: {name: sarathi, chunk: -4}"], ["found '-4'", "expected a whole number from 1"]),
    (["router: random-ish"], ["unknown router"]),
    (["replicas: 0"], ["replicas", "found 0, expected a whole number from 1 to 100000"]),
    (["replicas: two"], ["found 'two', expected a whole number"]),
    (["pools: [{name: a}, {name: a}]"], ["pools[1]", "has the name 'a' of an earlier pool"]),
    (["pools: [{name: a}]", "replicas: 2"], ["replicas", "does not go with 'pools'"]),
    (["traffic: {name: steady, trace: a.csv}"], ["traffic", "expected one of 'name', 'trace' and 'described'"]),
    (["traffic: {name: steady, time_scale: 2}"], ["traffic.time_scale", "is for traces"]),
    (["traffic: {trace: a.csv, rate_per_s: 2}"], ["traffic.rate_per_s", "is for generated traffic"]),
    (["traffic: {name: steady, rate_per_s: .nan}"], ["found '.nan', expected a finite number"]),
    (["horizon: {}"], ["horizon", "says nothing"]),
    (["horizon: {time: 10}"], ["horizon.time", "without a unit"]),
    (["seed: -1"], ["seed", "found -1"]),
    (["batching: chunky"], ["batching", "expected one of chunked, mixed, prefill-first, static"]),
    (["prefix_cache: lri"], ["prefix_cache", "did you mean 'lru'?"]),
    (["preemption: {method: recompute, host_memory: 1 GiB}"], ["preemption.host_memory", "is for the method swap"]),
    (["power_cap: 5 GB"], ["power_cap", "is no unit of power"]),
    (["objectives: {ttft: 1 s, tbt: 1 s}"], ["objectives.tbt", "unknown key"]),
    (["warm_up: {requests: 5, time: 1 s}"], ["warm_up", "expected either"]),
    (["speculation: {acceptance: 1.5, depth: 2}"], ["speculation.acceptance", "from 0.0 to 1.0"]),
  ]

  @Test(arguments: faults.indices) func `a fault is one line that names file, field and remedy`(index: Int) throws {
    let item = Self.faults[index]
    let lines = item.lines
    let message = lines.count == 1 ? fault(lines[0]) : fault(lines[0], lines[1])
    #expect(message.hasPrefix("test.yaml:") && !message.contains("\n"), "\(message)")
    for part in item.parts { #expect(message.contains(part), "\(part) in \(message)") }
  }

  @Test func `a name that nothing has is reported where it stands`() throws {
    let builder = ScenarioBuilder(library: try Shipped.library())
    for line in ["model: opt-125", "hardware: t44", "runtime: vllm-v11"] {
      let faulty = try scenario(line)
      #expect {
        _ = try builder.cluster(faulty)
      } throws: { error in
        "\(error)".hasPrefix("test.yaml:") && "\(error)".contains("did you mean")
      }
    }
  }

  @Test func `a scheduler that composes steps itself takes no other batching`() throws {
    let both = try scenario("scheduler: sarathi", "batching: static")
    #expect {
      _ = try ScenarioBuilder(library: Shipped.library()).cluster(both)
    } throws: { error in
      "\(error)".contains("scheduler 'sarathi' composes steps itself, so batching would be ignored")
    }
  }
}
