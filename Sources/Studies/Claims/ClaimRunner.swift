import Documents
import Execution

/// A figure with its prediction.
package struct ScoredFigure: Sendable {
  package let figure: Figure
  /// Nothing where the plan cannot run.
  package let predicted: Double?
  /// Why it cannot.
  package let reason: String?

  package var verdict: Verdict {
    guard let predicted else { return .wrong }
    let neutral: Double? =
      switch figure.form {
      case .value: nil
      case .ratio, .speedup: 1
      case .saving, .gain, .difference: 0
      }
    return Verdict(predicted: predicted, published: figure.published, neutral: neutral)
  }

  /// Predicted over published; 1 within a published range.
  package var ratio: Double? {
    guard let predicted else { return nil }
    let target = figure.published.target(for: predicted)
    return target == 0 ? nil : predicted / target
  }

  /// Whether a ratio says the same as the publication about which side is better.
  package var hasRightDirection: Bool {
    guard let predicted else { return false }
    let neutral = figure.form == .ratio || figure.form == .speedup ? 1.0 : 0
    return (predicted - neutral) * (figure.published.middle - neutral) > 0 || figure.published.middle == neutral
  }
}

package struct ScoredClaim: Sendable {
  package let file: ClaimFile
  package let claim: Claim
  package let figures: [ScoredFigure]

  /// What its scenario had to set because no source states it.
  package var assumptions: [ClaimAssumption] { file.assumptions + claim.assumptions }

  /// Conditions that decide its figures and that its source leaves open, each once.
  package var open: [ClaimAssumption.Condition] {
    ClaimAssumption.Condition.allCases.filter { condition in assumptions.contains { $0.condition == condition } }
  }

  /// How much of what decides its figures is published: in part where the table of claims says so, or where the scenario
  /// had to assume a deciding condition.
  package var standing: Standing {
    if claim.conditions != .full || !open.isEmpty { return .partly }
    return assumptions.isEmpty ? .published : .assumed
  }

  package enum Standing: String, CaseIterable, Sendable {
    case published = "all conditions published"
    case assumed = "main conditions published, some assumed"
    case partly = "conditions published in part"
  }

  /// The worst verdict of its figures.
  package var verdict: Verdict? {
    figures.map(\.verdict).max { Verdict.allCases.firstIndex(of: $0) ?? 0 < Verdict.allCases.firstIndex(of: $1) ?? 0 }
  }
}

/// Runs claims against the model.
package struct ClaimRunner: Sendable {
  package let evaluator: ClaimEvaluator

  package init(library: Library) { evaluator = ClaimEvaluator(library: library) }

  package func score(_ claim: Claim, of file: ClaimFile) throws -> ScoredClaim {
    do {
      return ScoredClaim(file: file, claim: claim, figures: try claim.figures.map(score))
    } catch let error as DataError {
      throw error
    } catch {
      // Plans that cannot be are faults of the file that asks for them.
      throw DataError(file: file.name, field: claim.id, problem: "\(error)")
    }
  }

  private func score(_ figure: Figure) throws -> ScoredFigure {
    do {
      return ScoredFigure(figure: figure, predicted: try value(of: figure), reason: nil)
    } catch let error as PredictionError {
      return ScoredFigure(figure: figure, predicted: nil, reason: error.description)
    }
  }

  private func value(of figure: Figure) throws -> Double {
    guard !figure.variants.isEmpty else { return try value(figure, figure.plan, figure.baseline) }
    let values = try figure.variants.map { variant in
      try value(figure, figure.plan.replacing(variant), figure.baseline?.replacing(variant))
    }
    switch figure.taking {
    case .max: return values.max() ?? .nan
    case .min: return values.min() ?? .nan
    case .mean: return values.reduce(0, +) / Double(values.count)
    }
  }

  private func value(_ figure: Figure, _ plan: ClaimPlan, _ baseline: ClaimPlan?) throws -> Double {
    let own = try evaluator.value(figure.metric, of: plan)
    guard let baseline else { return own / figure.divisor }
    let other = try evaluator.value(figure.metric, of: baseline)
    switch figure.form {
    case .value, .ratio: return own / other / figure.divisor
    case .speedup: return other / own / figure.divisor
    case .saving: return 1 - own / other
    case .gain: return own / other - 1
    case .difference: return (own - other) / figure.divisor
    }
  }
}

extension Library {
  /// Publications and their claims.
  package func claims() throws -> Catalogue<ClaimFile> {
    try Catalogue(folder: folder + "/Workloads/Scenarios/Claims")
  }
}
