import CostModels
import ModelGraph
import Quantities

/// Tries plans on a platform for one batch and keeps the fastest: an exact search over a small, listed set.
package struct PlanSearch {
  /// One plan that was tried.
  package struct Attempt: Sendable {
    package var plan: PlacementPlan
    /// End-to-end time of the batch; nothing when the plan cannot run.
    package var time: Seconds?
    /// Why it cannot, or why it was not chosen.
    package var reason: String
  }

  package let library: Library

  package init(library: Library) { self.library = library }

  /// Every plan of the library that gives exact answers, fastest first, then those that cannot run.
  ///
  /// Plans that read a part of the cache change what the model says; they are for whoever asks for them by name.
  /// - Throws: ``PlacementError`` when none can run; other errors when the request itself is faulty.
  package func search(_ request: Library.Request, _ batch: BatchCase) throws -> [Attempt] {
    var base = request
    base.plan = nil
    base.powerCap = nil
    base.clock = 1
    _ = try library.deployment(base)
    let attempts = try library.plans.all().map { attempt($0, request, batch) }
    let feasible = attempts.filter { $0.time != nil }.sorted { first, second in
      let (a, b) = (first.time?.value ?? 0, second.time?.value ?? 0)
      return a != b ? a < b : simplicity(first.plan) < simplicity(second.plan)
    }
    let rejected = attempts.filter { $0.time == nil }
    guard let best = feasible.first?.time else {
      throw PlacementError.nothingFits(
        model: request.model, machine: request.hardware, tried: rejected.map { "\($0.plan.name): \($0.reason)" })
    }
    return feasible.enumerated().map { place, attempt in
      var attempt = attempt
      attempt.reason =
        place == 0 ? "chosen" : "\(roundedText((attempt.time ?? best) / best)) times as long as the chosen one"
      return attempt
    } + rejected
  }

  private func attempt(_ plan: PlacementPlan, _ request: Library.Request, _ batch: BatchCase) -> Attempt {
    if plan.kv.kept < 1 {
      return Attempt(plan: plan, time: nil, reason: "reads a part of the cache, which changes answers")
    }
    if !plan.stages.isEmpty { return Attempt(plan: plan, time: nil, reason: "is written for one model on one system") }
    var request = request
    request.plan = plan
    do {
      let prediction = try Predictor(library.deployment(request)).predict(batch)
      return Attempt(plan: plan, time: prediction.endToEnd, reason: "")
    } catch {
      return Attempt(plan: plan, time: nil, reason: "\(error)")
    }
  }

  /// Of plans that take as long, the one that says least is chosen.
  private func simplicity(_ plan: PlacementPlan) -> String {
    let homes = [plan.weights.home, plan.kv.home, plan.attention.at, plan.experts.home].compactMap { $0 }.count
    return "\(homes) \(plan.name)"
  }
}

private func roundedText(_ ratio: Double) -> String {
  String(Int((ratio * 100).rounded()) / 100) + "." + hundredths(ratio)
}

private func hundredths(_ ratio: Double) -> String {
  let rest = Int((ratio * 100).rounded()) % 100
  return rest < 10 ? "0\(rest)" : "\(rest)"
}
