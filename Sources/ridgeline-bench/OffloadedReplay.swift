import EventKernel
import Execution
import ModelGraph
import Serving
import Workloads

extension Bench {
  /// Replays of 20,000 conversation requests on platforms whose tensors live elsewhere, and how far the prices of their
  /// steps lie from the full schedule.
  static func offloaded() throws -> [Measurement] {
    let library = try Library()
    var rows: [Measurement] = []
    for (model, plan, arrivals) in [("llama-3-8b", "kv-host", 0.02), ("mixtral-8x7b", "experts-cpu", 0.005)] {
      var request = Library.Request(model: model, hardware: "gaming-pc", runtime: "vllm-v1")
      request.plan = try library.plans.find(plan)
      let deployment = try library.deployment(request)
      rows += try replay(deployment, "\(model) on gaming-pc, plan \(plan)", rate: arrivals)
      rows.append(try pricing(deployment, "\(model), plan \(plan)"))
    }
    return rows
  }

  private static func replay(_ deployment: Deployment, _ name: String, rate arrivals: Double) throws -> [Measurement] {
    let count = 20_000
    let file = try TrafficFile.read(path: "Workloads/Traffic/azure-conversation.yaml")
    var source: any RequestSource = TrafficGenerator(file.scaled(toRate: arrivals) ?? file, seed: 1, requests: count)
    var engine = try ServingEngine(deployment, limits: ServingLimits(deployment))
    var result: ServingResult?
    let seconds = try measure { result = try engine.run(&source) }
    let busy = Int((result?.utilisation ?? 0) * 100)
    return [
      Measurement(
        what: "replay of \(count) requests with \(name), at \(arrivals)/s (utilisation \(busy) %), CPU time",
        value: "\((seconds * 10).rounded() / 10) s", target: "seconds")
    ]
  }

  /// The largest error of a tabulated price over random steps of decodes alone and of prompts beside decodes.
  private static func pricing(_ deployment: Deployment, _ name: String) throws -> Measurement {
    let table = try StepTable(deployment)
    var stream = RandomStream(seed: 1, name: "offloaded-steps")
    let spans = deployment.graph.spans
    var worst = 0.0
    for index in 0..<40 {
      var step = StepShape.decode(
        sequences: 1 + stream.integer(below: 64), context: 16 + stream.integer(below: 8000), spans: spans)
      if index % 2 == 1 {
        step.addPrefill(
          sequences: 1, tokens: 16 + stream.integer(below: 2000), start: stream.integer(below: 2000), last: true,
          spans: spans)
      }
      let exact = deployment.price(step).time.value
      worst = max(worst, abs(table.cost(step).time.value / exact - 1))
    }
    return Measurement(
      what: "largest error of a step's price against its full schedule, 40 random steps of \(name)",
      value: "\((worst * 10_000).rounded() / 100) %", target: worst < 0.01 ? "1 %: reached" : "1 %: missed")
  }
}
