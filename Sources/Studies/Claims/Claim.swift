import Documents

/// The claims of one publication: what it measured, on what, and the plans that should reproduce it.
package struct ClaimFile: Sendable {
  package var name: String
  package var paper: String
  package var notes: String?
  /// What no source states and all claims of the file rely on.
  package var assumptions: [ClaimAssumption]
  package var claims: [Claim]
}

/// One claim: the figures that were published, or why none can be predicted.
package struct Claim: Sendable {
  package enum Conditions: String, CaseIterable, Sendable {
    /// The source states all that decides the figure.
    case full = "yes"
    case partial = "partly"
    /// The source itself rules out a prediction.
    case none = "no"
  }

  package var id: String
  package var system: String
  package var source: String
  package var conditions: Conditions
  package var assumptions: [ClaimAssumption]
  package var figures: [Figure]
  /// Why a performance model cannot say anything; nothing where there are figures.
  package var unpredicted: String?
  /// What the model lacks, or what the source contradicts, where a figure is missed.
  package var miss: String?
}

/// One published number and the plans behind its prediction.
package struct Figure: Sendable {
  package enum Form: String, CaseIterable, Sendable {
    /// The plan's own value.
    case value
    /// Plan over baseline, baseline over plan.
    case ratio, speedup
    /// One less plan over baseline; plan over baseline less one.
    case saving, gain
    /// Plan less baseline.
    case difference

    package var isRatio: Bool { self != .value && self != .difference }
  }

  package enum Taking: String, CaseIterable, Sendable { case max, min, mean }

  package var metric: ClaimMetric
  package var published: Published
  package var form: Form
  package var plan: ClaimPlan
  package var baseline: ClaimPlan?
  /// What the value is divided by, as the number of tokens that share it.
  package var divisor: Double
  /// The same with other settings, and which of the values was published.
  package var variants: [Node]
  package var taking: Taking
  /// The figure's name among several of a claim; empty for the only one.
  package var label: String
}

/// A number as it was published.
package struct Published: Sendable {
  package var low: Double
  package var high: Double
  /// Whether the source only says "more than".
  package var isLeast: Bool

  /// What a prediction is compared with: itself within the range, else the nearer end.
  package func target(for predicted: Double) -> Double {
    if isLeast, predicted >= low { return predicted }
    return predicted < low ? low : predicted > high ? high : predicted
  }

  package var middle: Double { low == high ? low : (low * high) > 0 ? (low * high).squareRoot() : (low + high) / 2 }
}

/// How near a prediction came.
package enum Verdict: String, CaseIterable, Sendable {
  case within10 = "within 10 %"
  case within25 = "within 25 %"
  case within50 = "within 50 %"
  case direction = "direction only"
  case wrong

  /// - Parameter neutral: The value that says neither better nor worse: 1 for ratios, 0 for differences.
  init(predicted: Double, published: Published, neutral: Double?) {
    let target = published.target(for: predicted)
    let error = target == 0 ? (predicted == 0 ? 0 : .infinity) : abs(predicted / target - 1)
    switch error {
    case ...0.1: self = .within10
    case ...0.25: self = .within25
    case ...0.5: self = .within50
    default:
      guard let neutral else {
        self = .wrong
        return
      }
      self = (predicted - neutral) * (published.middle - neutral) > 0 ? .direction : .wrong
    }
  }

  package var isMiss: Bool { self != .within10 && self != .within25 }
}
