import CostModels
import Execution
import Hardware
import ModelGraph
import Quantities
import Techniques
import TestSupport
import Testing

/// Members of unequal pipelines, processes on several sockets, weights on chip, drafts elsewhere, and ranks over nodes.
@Suite struct MembershipTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  // MARK: Members

  private func swarm(_ change: (inout PlacementPlan) -> Void = { _ in }) throws -> Deployment {
    var formats = FormatRequest()
    formats.weights = .int4Group128
    return try Placed.deployment("llama-2-70b", "petals-swarm-3", formats: formats) { plan in
      plan.stages = [Stage(at: "gpu.1", layers: 27), Stage(at: "gpu.2", layers: 27), Stage(at: "gpu.3", layers: 26)]
      change(&plan)
    }
  }

  @Test func `a home cluster goes on without each member, or says why it cannot`() throws {
    let deployment = try Placed.deployment("llama-3-8b", "home-cluster", "weights-ssd-pinned", runtime: "llama-cpp") {
      $0.stages = ["desktop-gpu", "laptop-gpu", "mac-soc", "phone-soc"].map { Stage(at: $0, layers: 8) }
      for index in $0.stages.indices {
        $0.stages[index].store = $0.stages[index].at.split(separator: "-")[0] + "-disk"
      }
    }
    let placement = try #require(deployment.placement)
    let step = StepShape.decode(sequences: 1, context: 256, spans: deployment.graph.spans)
    let rows = placement.memberships(step)
    #expect(
      rows.map { $0.lost ?? "nobody" }.sorted() == ["desktop-gpu", "laptop-gpu", "mac-soc", "nobody", "phone-soc"])
    #expect(rows[0].loaded == .zero && rows[0].reloaded == .zero)
    for row in rows {
      #expect(row.layers.reduce(0) { $0 + $1.count } == 32)
      #expect(row.layers.allSatisfy { $0.place != row.lost })
    }
    for row in rows.dropFirst() {
      // Whoever takes the eight layers over loads them, and the one who comes back loads its own again.
      #expect(row.loaded > .zero && row.loading > .zero)
      let time = try #require(row.time)
      #expect(time > .zero)
    }
  }

  @Test func `what a plan cannot go on without is said`() throws {
    let unknown = message { _ = try swarm { $0.without = ["gpu.9"] } }
    #expect(unknown == "plan 'resident' has no stage on 'gpu.9'; it has gpu.1, gpu.2, gpu.3")
    let nobody = message { _ = try swarm { $0.without = ["gpu.1", "gpu.2", "gpu.3"] } }
    #expect(nobody == "nobody is left to run the layers of plan 'resident'")
    let plain = message { _ = try Placed.deployment("llama-3-8b", "gaming-pc") { $0.without = ["gpu"] } }
    #expect(plain == "plan 'resident' has no stages, so it cannot go on without 'gpu'")
  }

  // MARK: Cores

  @Test func `equal parts for unlike cores wait for the slow ones`() throws {
    func time(_ split: CoreSplit) throws -> Double {
      let placed = try Placed.deployment("llama-2-7b", "core-i9-12900k", runtime: "llama-cpp") { $0.cores = split }
      return placed.price(.prefill(sequences: 1, tokens: 2048, spans: placed.graph.spans)).time.value
    }
    let (even, proportional) = (try time(.even), try time(.proportional))
    // Eight cores of 0.1632 and eight of 0.0624 TFLOP/s: 1.805 together, 0.998 when all go at the slower rate.
    let peaks = (8 * 0.1632 + 8 * 0.0624) / (16 * 0.0624)
    #expect(even / proportional > 1.6 && even / proportional < peaks * 1.01)
  }

  // MARK: Sockets

  @Test func `a process over two sockets reads half of its pages over their link`() throws {
    func rate(_ workers: Int?) throws -> Double {
      let placed = try Placed.deployment("mixtral-8x7b", "rtx6000-skylake", "experts-cpu") {
        if let workers { $0.workers = ["host": workers] }
      }
      let map = try Placed.decode(placed, context: 128).graph.resources
      return try #require(map.first { $0.name == "cpu memory" }?.capacity)
    }
    let (own, both, each) = (try rate(nil), try rate(1), try rate(2))
    #expect(own == each)
    // Two UPI links of 20.8 GB/s carry half of the bytes: 83.2 GB/s a socket, below its 128 GB/s of memory.
    #expect(near(both, 2 * 20.8e9 / 0.5, within: 1e-9))
  }

  @Test func `sockets without a link cannot share pages`() {
    let found = message {
      let placed = try Placed.deployment("mixtral-8x7b", "l4-cascade-lake", "experts-cpu") {
        $0.workers = ["host": 1]
      }
      _ = try Placed.decode(placed, context: 128)
    }
    let expected = "l4-cascade-lake has no link from cpu to its other processors, so the plan cannot move anything"
    #expect(found == expected + " between them")
  }

  // MARK: On chip

  @Test func `weights on chip are read at its rate`() throws {
    func time(_ share: ResidentShare) throws -> Double {
      let placed = try Placed.deployment("llama-3.2-1b", "sn40l-node", runtime: "vllm-v1", tensor: 8) {
        $0.weights.onChip = share
      }
      return try Placed.decode(placed, context: 512).time.value
    }
    let (none, half, all) = (try time(.share(0)), try time(.share(0.5)), try time(.automatic))
    #expect(half < none && all < half)
    let none8b = message {
      _ = try Placed.deployment("llama-3-8b", "sn40l-node", runtime: "vllm-v1", tensor: 8) {
        $0.weights.onChip = .share(1)
      }
    }
    #expect(none8b.hasPrefix("the weights do not fit on the on-chip memory of sn40l"))
    let gpu = message { _ = try Placed.deployment("llama-3-8b", "h100-sxm") { $0.weights.onChip = .automatic } }
    #expect(
      gpu == "plan 'resident' keeps weights on chip, and the file of h100-sxm gives no scratchpad with a bandwidth")
  }

  // MARK: Drafts elsewhere

  private func drafted(_ technique: String, _ change: (inout PlacementPlan) -> Void) throws -> Deployment {
    let library = try Placed.library.get()
    var plan = try library.plans.find("resident")
    change(&plan)
    var request = Library.Request(model: "llama-3-8b", hardware: "edge-cloud", runtime: "vllm-v1")
    request.plan = plan
    request.techniques = technique.isEmpty ? [] : [try Techniques.parse(technique)]
    return try library.deployment(request)
  }

  @Test func `a draft on a phone pays its way there and back once a cycle`() throws {
    let technique = "draft-model:model=llama-3.2-1b,depth=4,tokens=3"
    let here = try drafted(technique) { _ in }
    let there = try drafted(technique) { $0.draft.at = "phone" }
    let way = try #require(there.decoding?.way)
    // 10 ms each way, and four numbers of 4 bytes at 125 MB/s.
    #expect(near(way.round(tokens: 4).value, 2 * 0.010 + 32 / 125e6, within: 1e-9))
    let step = StepShape.decode(sequences: 1, context: 512, spans: here.graph.spans)
    let alike = there.tokenCost(step).time.value - way.round(tokens: 4).value / 3
    #expect(alike > here.tokenCost(step).time.value)
    // The small model takes nothing of the accelerator's memory.
    let (free, shared) = (there.memoryLedger().cacheRoom, here.memoryLedger().cacheRoom)
    #expect(free > shared)
  }

  @Test func `a small model that answers by itself takes its share of the tokens`() throws {
    let technique = "draft-model:model=llama-3.2-1b,depth=4,tokens=3"
    let (asked, half) = (
      try drafted(technique) { $0.draft.at = "phone" },
      try drafted(technique) {
        $0.draft.at = "phone"
        $0.draft.alone = 0.5
      }
    )
    let step = StepShape.decode(sequences: 1, context: 512, spans: asked.graph.spans)
    let small = try #require(asked.decoding?.draft).price(step).time.value
    let (whole, mixed) = (asked.tokenCost(step).time.value, half.tokenCost(step).time.value)
    #expect(near(mixed, 0.5 * (whole + small), within: 1e-9))
  }

  @Test func `drafts that cannot be where a plan says are refused`() {
    #expect(
      message { _ = try drafted("") { $0.draft.at = "phone" } }
        == "plan 'resident' says where a small model drafts, and none does; add one with --with draft-model:model=...")
    #expect(
      message { _ = try drafted("draft-head:depth=3,acceptance=0.7") { $0.draft.at = "phone" } }.hasPrefix(
        "plan 'resident' drafts on phone, and a draft head needs the model's own hidden state"))
    #expect(
      message { _ = try drafted("draft-model:model=llama-3-70b,depth=4,tokens=3") { $0.draft.at = "phone" } }
        .hasPrefix("the weights of llama-3-70b do not fit on phone"))
  }

  // MARK: Ranks

  @Test(arguments: [
    ("deepseek-v2-lite", "hgx-h100", Parallelism(tensor: 1, pipeline: 1, expert: 8, data: 8)),
    ("mixtral-8x7b", "dgx-h100-superpod-4", Parallelism(tensor: 8, pipeline: 1, expert: 1, data: 2)),
    ("deepseek-v2", "dgx-h100-superpod-4", Parallelism(tensor: 4, pipeline: 1, expert: 16, data: 4)),
  ])
  func `experts and copies over nodes take what the closed form says`(
    model: String, hardware: String, parallelism: Parallelism
  ) throws {
    let library = try Placed.library.get()
    var request = Library.Request(model: model, hardware: hardware, runtime: "vllm-v1", parallelism: parallelism)
    let plain = try library.deployment(request)
    request.plan = .resident
    let placed = try library.deployment(request)
    let spans = plain.graph.spans
    for step in [
      StepShape.decode(sequences: 16, context: 700, spans: spans),
      StepShape.prefill(sequences: 2, tokens: 300, spans: spans),
    ] {
      let (expected, found) = (plain.price(step), placed.price(step))
      #expect(near(found.time.value, expected.time.value, within: 1e-7))
      #expect(near(found.energy.value, expected.energy.value, within: 1e-6))
    }
    let (room, closed) = (placed.memoryLedger().cacheRoom, plain.memoryLedger().cacheRoom)
    #expect(near(room.value, closed.value, within: 0.02))
  }

  @Test func `half batches hide exchanges between experts' devices behind each other's arithmetic`() throws {
    let library = try Placed.library.get()
    var request = Library.Request(
      model: "deepseek-v2", hardware: "dgx-h100-superpod-4", runtime: "vllm-v1",
      parallelism: Parallelism(tensor: 1, pipeline: 1, expert: 32, data: 32))
    func schedule(_ parts: Int) throws -> Schedule {
      var plan = PlacementPlan.resident
      plan.microBatches = parts
      request.plan = plan
      return try Placed.decode(library.deployment(request), batch: 256, context: 1024)
    }
    let (one, two) = (try schedule(1), try schedule(2))
    func exposed(_ schedule: Schedule) -> Double {
      schedule.usage.first { $0.name.hasSuffix("peers") }?.exposed.value ?? 0
    }
    #expect(exposed(two) < 0.7 * exposed(one))
  }

  // MARK: Copies

  @Test func `pages that may move are copied by a core first`() throws {
    func placed(_ staging: Double?) throws -> Deployment {
      try Placed.deployment("opt-13b", "gaming-pc", "weights-host") {
        $0.weights.resident = .share(0)
        $0.copies.staging = staging.map { BytesPerSecond($0) }
      }
    }
    let (locked, paged) = (try placed(nil), try placed(10e9))
    let longer = try Placed.decode(paged, context: 128).time - Placed.decode(locked, context: 128).time
    #expect(near(longer.value, locked.graph.weightParts.dense.value / 10e9, within: 0.02))
  }
}
