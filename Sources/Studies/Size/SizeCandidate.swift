import CostModels
import Execution
import ModelGraph
import Quantities
import Workloads

/// A way to serve the demand: which replicas, how many, within which limit.
package struct SizeCandidate: Sendable {
  package enum Layout: String, Sendable { case aggregated, disaggregated }

  package var model: String
  package var hardware: String
  package var layout: Layout
  package var formats: FormatRequest
  /// Devices of one replica; of one that decodes, where layouts differ.
  package var tensor: Int
  /// Devices of one replica that takes prompts; nothing where one kind does both.
  package var prefillTensor: Int?
  package var batchLimit: Int
  package var replicas: Int
  package var prefillReplicas: Int
  /// Requests a second that one (decode) replica can take within the objectives.
  package var capacity: Double
  /// Rent of everything an hour; nothing where a price is unknown.
  package var hourly: Double?

  package var devices: Int { replicas * tensor + prefillReplicas * (prefillTensor ?? 0) }

  /// For people: `4 x tp2 fp8`, `2 x tp2 prompts + 3 x tp2 answers bf16`.
  package var plan: String {
    let format = [formats.weights?.rawValue ?? "16-bit", formats.kv.map { "KV \($0.rawValue)" }]
      .compactMap { $0 }.joined(separator: ", ")
    guard let prefillTensor else { return "\(replicas) x tp\(tensor), \(format)" }
    return "\(prefillReplicas) x tp\(prefillTensor) prompts + \(replicas) x tp\(tensor) answers, \(format)"
  }
}

/// What binds where no candidate meets the objectives.
package struct SizeObstacle: Sendable {
  package var text: String
  /// By what share of the limit the best candidate is beyond it; infinite where nothing can run.
  package var excess: Double
}
