import CostModels
import Execution
import Foundation
import ModelGraph
import Quantities

/// Goes through all candidates in closed form.
package struct AnalyticSearch: Sendable {
  /// Of one model on one hardware.
  package struct Found: Sendable {
    package var model: String
    package var hardware: String
    /// Those that meet the objectives, the cheapest first.
    package var candidates: [SizeCandidate]
    /// What stands nearest in the way where none does.
    package var obstacle: SizeObstacle?
    /// How many were priced.
    package var priced: Int
  }

  private let request: SizeRequest
  private let demand: DemandSample
  private let library: Library

  package init(_ request: SizeRequest, _ demand: DemandSample, library: Library) {
    self.request = request
    self.demand = demand
    self.library = library
  }

  /// - Throws: `UnknownName` and `DataError` for names and files.
  /// - Complexity: About ten thousand candidates a second.
  package func run(model: Located, hardware: Located) throws -> Found {
    let curves = try curves(model, hardware)
    var found = Found(model: model.text, hardware: hardware.text, candidates: [], obstacle: nil, priced: 0)
    for curve in curves {
      guard curve.replica.obstacle == nil else {
        note(SizeObstacle(text: curve.replica.obstacle ?? "", excess: .infinity), in: &found)
        found.priced += ReplicaCurve.batchLimits.count
        continue
      }
      if request.layouts.contains(.aggregated) { addAggregated(curve, to: &found) }
    }
    if request.layouts.contains(.disaggregated) { addDisaggregated(curves, to: &found) }
    found.candidates.sort(by: Self.isCheaper)
    let affordable = found.candidates.filter(isAffordable)
    if affordable.isEmpty, let budget = request.budget, let least = found.candidates.first?.hourly {
      found.obstacle = SizeObstacle(text: "the budget of \(budget) binds", excess: least / budget.value - 1)
    }
    found.candidates = affordable
    return found
  }

  private static func isCheaper(_ a: SizeCandidate, _ b: SizeCandidate) -> Bool {
    func rank(_ candidate: SizeCandidate) -> (Double, Int, Int, Int, Int, Int) {
      let own = candidate.parallelism
      return (
        candidate.hourly ?? .infinity, candidate.devices, own.pipeline, own.tensor, own.expert, candidate.batchLimit
      )
    }
    return rank(a) < rank(b)
  }

  private func isAffordable(_ candidate: SizeCandidate) -> Bool {
    if let budget = request.budget, (candidate.hourly ?? 0) > budget.value { return false }
    return true
  }

  // MARK: Curves

  private struct Curve {
    var replica: ReplicaCurve
    var formats: FormatRequest
    var parallelism: Parallelism
    var hourly: Double?
    var cap: Double
  }

  private func curves(_ model: Located, _ hardware: Located) throws -> [Curve] {
    _ = try model.resolved { try library.models.find($0) }
    let platform = try hardware.resolved { try library.platforms.find($0) }
    var curves: [Curve] = []
    for formats in request.precisions {
      for parallelism in request.parallelisms where parallelism.tensor <= platform.perNode ?? parallelism.tensor {
        let wanted = Library.Request(
          model: model.text, hardware: hardware.text, runtime: request.runtime.text, formats: formats,
          parallelism: parallelism)
        // A device without the format, or heads that do not divide, is no candidate rather than a fault.
        guard let deployment = try candidate({ try library.deployment(wanted) }) else { continue }
        if formats.activations != nil, deployment.plan.formats.activations != formats.activations { continue }
        curves.append(
          Curve(
            replica: ReplicaCurve(deployment, demand), formats: formats, parallelism: parallelism,
            hourly: deployment.hourlyPrice?.value,
            cap: (deployment.platform.device.power.cap * Double(parallelism.devices)).value))
      }
    }
    return curves
  }

  private func candidate(_ make: () throws -> Deployment) throws -> Deployment? {
    do {
      return try make()
    } catch is PlanError {
      return nil
    } catch is DeploymentError {
      return nil
    } catch is UnsupportedFormat {
      return nil
    }
  }

  // MARK: Layouts

  private func addAggregated(_ curve: Curve, to found: inout Found) {
    for limit in ReplicaCurve.batchLimits {
      found.priced += 1
      guard limit <= curve.replica.deployment.runtime.maxSequences || limit == 1 else { continue }
      let (capacity, obstacle) = capacity(curve.replica, limit: limit, role: .mixed, transfer: 0)
      guard capacity > 0 else {
        note(obstacle, in: &found)
        continue
      }
      let replicas = Int((demand.rate / capacity).rounded(.up))
      add(curve, nil, limit: limit, replicas: replicas, prefill: 0, capacity: capacity, to: &found)
    }
  }

  private func addDisaggregated(_ curves: [Curve], to found: inout Found) {
    let usable = curves.filter { $0.replica.obstacle == nil }
    for prefill in usable {
      let transfer = transferTime(prefill.replica.deployment)
      let (prompts, obstacle) = capacity(prefill.replica, limit: 1, role: .prefill, transfer: transfer)
      guard prompts > 0 else {
        note(obstacle, in: &found)
        found.priced += ReplicaCurve.batchLimits.count * usable.count { $0.formats == prefill.formats }
        continue
      }
      let count = Int((demand.rate / prompts).rounded(.up))
      for decode in usable where decode.formats == prefill.formats {
        addAnswers(decode, after: prefill, count, transfer: transfer, to: &found)
      }
    }
  }

  /// Replicas that answer, beside those that take the prompts.
  private func addAnswers(
    _ decode: Curve, after prefill: Curve, _ prefillCount: Int, transfer: Double, to found: inout Found
  ) {
    for limit in ReplicaCurve.batchLimits {
      found.priced += 1
      guard limit <= decode.replica.deployment.runtime.maxSequences else { continue }
      let (answers, obstacle) = capacity(decode.replica, limit: limit, role: .decode, transfer: transfer)
      guard answers > 0 else {
        note(obstacle, in: &found)
        continue
      }
      add(
        decode, prefill, limit: limit, replicas: Int((demand.rate / answers).rounded(.up)), prefill: prefillCount,
        capacity: answers, to: &found)
    }
  }

  /// A prompt's cache over the link between nodes, or between devices.
  private func transferTime(_ deployment: Deployment) -> Double {
    let path = deployment.platform.nodePath ?? deployment.platform.peerPath
    guard path.bandwidth > .zero else { return .infinity }
    let cache = deployment.graph.footprint.sequence(tokens: demand.highInput) * Double(deployment.parallelism.devices)
    return (cache / path.bandwidth + path.latency).value
  }

  private func add(
    _ curve: Curve, _ prompts: Curve?, limit: Int, replicas: Int, prefill: Int, capacity: Double, to found: inout Found
  ) {
    let hourly = curve.hourly.flatMap { own -> Double? in
      guard let prompts else { return own * Double(replicas) }
      return prompts.hourly.map { own * Double(replicas) + $0 * Double(prefill) }
    }
    let power = curve.cap * Double(replicas) + (prompts?.cap ?? 0) * Double(prefill)
    if let budget = request.powerBudget, power > budget.value {
      let excess = power / budget.value - 1
      return note(SizeObstacle(text: "the power budget of \(budget) binds", excess: excess), in: &found)
    }
    found.candidates.append(
      SizeCandidate(
        model: found.model, hardware: found.hardware, layout: prompts == nil ? .aggregated : .disaggregated,
        formats: curve.formats, parallelism: curve.parallelism, prefillParallelism: prompts?.parallelism,
        batchLimit: limit,
        replicas: replicas, prefillReplicas: prefill, capacity: capacity, hourly: hourly))
  }

  private func note(_ obstacle: SizeObstacle?, in found: inout Found) {
    guard let obstacle, obstacle.excess < found.obstacle?.excess ?? .greatestFiniteMagnitude || found.obstacle == nil
    else {
      return
    }
    found.obstacle = obstacle
  }

  // MARK: Capacity

  /// The largest request rate of one replica within the objectives, or what stands in the way of any.
  private func capacity(
    _ curve: ReplicaCurve, limit: Int, role: ReplicaCurve.Role, transfer: Double
  ) -> (Double, SizeObstacle?) {
    let limits = request.objectives.limits.filter { objective in
      switch role {
      case .mixed: true
      case .prefill: objective.metric == .timeToFirstToken
      case .decode: objective.metric != .timeToFirstToken
      }
    }
    func misses(_ rate: Double) -> (SizeObjective, Double)? {
      guard let state = curve.state(rate, limit: limit, role: role) else {
        return (limits.first ?? Self.none, .infinity)
      }
      return limits.map { objective in
        (
          objective,
          curve.latency(objective, state, rate: rate, limit: limit, role: role, transfer: transfer)
            / objective.limit.value
        )
      }.max { $0.1 < $1.1 }.flatMap { $0.1 > 1 ? $0 : nil }
    }
    let least = demand.rate * 1e-4
    if let (objective, factor) = misses(least) {
      let excess = factor - 1
      return (0, SizeObstacle(text: "\(objective.text) binds, even with no other request beside it", excess: excess))
    }
    var (low, high) = (least, least * 2)
    while high < demand.rate * 2, misses(high) == nil { (low, high) = (high, high * 2) }
    for _ in 0..<12 {
      let middle = (low + high) / 2
      if misses(middle) == nil { low = middle } else { high = middle }
    }
    return (low, nil)
  }

  private static let none = SizeObjective(.endToEnd, within: Seconds(1e9), share: 0.5)
}
