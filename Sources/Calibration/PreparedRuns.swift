import CostModels
import Documents
import Execution
import Hardware
import ModelGraph

/// Measured rows with their names resolved and their deployments built, each deployment once.
package struct PreparedRuns: Sendable {
  package var runs: [PreparedRun] = []
  package private(set) var deployments: [Deployment] = []
  /// Rows that cannot be predicted, and why.
  package private(set) var skipped: [(run: MeasuredRun, reason: String)] = []

  /// Resolves every row that is not excluded.
  /// - Throws: ``DataError`` for names that nothing has, with the row's place.
  package init(_ measured: [MeasuredRun], library: Library) throws {
    var slots: [Library.Request: Int] = [:]
    for run in measured where run.exclusion == nil {
      do {
        let request = try Self.request(run, library)
        let slot: Int
        if let known = slots[request] {
          slot = known
        } else {
          slot = deployments.count
          deployments.append(try library.deployment(request))
          slots[request] = slot
        }
        try checkFits(run, slot)
        runs.append(PreparedRun(run, deployments[slot], slot: slot))
      } catch let unknown as UnknownName {
        throw DataError(file: run.file, line: run.line, problem: unknown.description)
      } catch let error where Self.isInfeasible(error) {
        skipped.append((run, "\(error)"))
      }
    }
  }

  /// Keeps the rows of one device, or of one runtime.
  package mutating func keep(device: String) { runs.removeAll { $0.device != device } }
  package mutating func keep(runtime: String) { runs.removeAll { $0.runtime != runtime } }

  /// How many rows were skipped for each reason, most frequent first.
  package var skippedByReason: [(reason: String, count: Int)] {
    FoldedFit.grouped(skipped, by: { $0.reason }).map { ($0.key, $0.members.count) }
      .sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
  }

  private static func request(_ run: MeasuredRun, _ library: Library) throws -> Library.Request {
    let dies = try library.platforms.find(run.device).dies
    return Library.Request(
      model: run.model, hardware: run.device, runtime: run.runtime, formats: try formats(run, library),
      parallelism: run.parallelism ?? Parallelism(tensor: run.deviceCount * dies))
  }

  /// A checkpoint published in four bits is run as published, whichever four-bit format a row's label names.
  private static func formats(_ run: MeasuredRun, _ library: Library) throws -> FormatRequest {
    guard let wanted = run.formats.weights, wanted.bits < 8,
      let published = try library.models.find(run.model).model.quantization, published.weights.bits < 8
    else { return run.formats }
    return FormatRequest(kv: run.formats.kv)
  }

  /// Prices the row once, so that rows that cannot run are known before any fit.
  private func checkFits(_ run: MeasuredRun, _ slot: Int) throws {
    if run.load.served != nil {
      _ = try StepTable(deployments[slot], perRank: true)
    } else {
      _ = try Predictor(deployments[slot]).predict(run.batch, overflow: .waves)
    }
  }

  private static func isInfeasible(_ error: any Error) -> Bool {
    error is PredictionError || error is PlanError || error is DeploymentError || error is UnsupportedFormat
      || error is TooManyWindows || error is UnsuitableDevice || error is ReplayError
  }
}

/// A measured row with its names resolved.
package struct PreparedRun: Sendable {
  package let run: MeasuredRun
  package let device: String
  package let deviceClass: DeviceClass
  package let vendor: String
  package let runtime: String
  package let model: String
  /// Which of the set's deployments it runs on.
  let slot: Int
  /// Tells architectures apart: checkpoints of one architecture are one model to a fold that leaves models out.
  let architecture: String

  init(_ run: MeasuredRun, _ deployment: Deployment, slot: Int) {
    self.run = run
    self.slot = slot
    device = deployment.platform.device.name
    deviceClass = deployment.platform.device.deviceClass
    vendor = deployment.platform.device.vendor
    runtime = deployment.runtime.name
    model = deployment.model.name
    let body = deployment.model
    architecture = "\(body.decoder.layerCount) layers of \(body.hidden), \(body.expertCount ?? 0) experts"
  }
}
