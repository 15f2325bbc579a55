import CostModels
import Execution
import ModelGraph
import Quantities
import Workloads

/// A way to serve the demand: which replicas, how many, within which limit.
package struct SizeCandidate: Sendable {
  package enum Layout: String, CaseIterable, Sendable { case aggregated, disaggregated }

  package var model: String
  package var hardware: String
  package var layout: Layout
  package var formats: FormatRequest
  /// How the devices of one replica share the model; of one that decodes, where layouts differ.
  package var parallelism: Parallelism
  /// The same of one that takes prompts; nothing where one kind does both.
  package var prefillParallelism: Parallelism?
  package var batchLimit: Int
  package var replicas: Int
  package var prefillReplicas: Int
  /// Requests a second that one (decode) replica can take within the objectives.
  package var capacity: Double
  /// Rent of everything an hour; nothing where a price is unknown.
  package var hourly: Double?

  package var devices: Int { devices(replicas: replicas, prefill: prefillReplicas) }

  var hasStages: Bool { parallelism.pipeline > 1 || (prefillParallelism?.pipeline ?? 1) > 1 }

  /// Devices of other counts of the same replicas.
  func devices(replicas: Int, prefill: Int) -> Int {
    replicas * parallelism.devices + prefill * (prefillParallelism?.devices ?? 0)
  }

  /// For people: `4 x tp2 fp8`, `2 x tp2 prompts + 3 x tp2 pp2 answers bf16`.
  package var plan: String {
    let format = [formats.weights?.rawValue ?? "16-bit", formats.kv.map { "KV \($0.rawValue)" }]
      .compactMap { $0 }.joined(separator: ", ")
    guard let prompts = prefillParallelism else { return "\(replicas) x \(parallelism.degrees), \(format)" }
    return "\(prefillReplicas) x \(prompts.degrees) prompts + \(replicas) x \(parallelism.degrees) answers, \(format)"
  }
}

extension Parallelism {
  /// For people: `tp4`, `tp8 pp2`, `tp8 ep8`.
  package var degrees: String {
    ["tp\(tensor)", pipeline > 1 ? "pp\(pipeline)" : nil, expert > 1 ? "ep\(expert)" : nil]
      .compactMap { $0 }.joined(separator: " ")
  }
}

/// What binds where no candidate meets the objectives.
package struct SizeObstacle: Sendable {
  package var text: String
  /// By what share of the limit the best candidate is beyond it; infinite where nothing can run.
  package var excess: Double
}
