/// How many figures came near, of one kind of figure.
package struct ClaimTotals: Sendable {
  package let title: String
  package let count: Int
  package let within10: Int
  package let within15: Int
  package let within25: Int
  package let within30: Int
  package let within50: Int
  /// Ratios that say which side is better as the publication does; nothing for absolute figures.
  package let rightDirection: Int?

  init(_ title: String, _ figures: [ScoredFigure], isRatio: Bool) {
    self.title = title
    count = figures.count
    func within(_ share: Double) -> Int { figures.count { abs(($0.ratio ?? .infinity) - 1) <= share } }
    within10 = within(0.1)
    within15 = within(0.15)
    within25 = within(0.25)
    within30 = within(0.3)
    within50 = within(0.5)
    rightDirection = isRatio ? figures.count(where: \.hasRightDirection) : nil
  }

  /// Absolute figures and ratios, those whose conditions are all published first.
  package static func all(of claims: [ScoredClaim]) -> [ClaimTotals] {
    func figures(_ isRatio: Bool, _ conditions: [Claim.Conditions]) -> [ScoredFigure] {
      claims.filter { conditions.contains($0.claim.conditions) }.flatMap(\.figures)
        .filter { $0.figure.form.isRatio == isRatio }
    }
    return [
      ClaimTotals("absolute, conditions published", figures(false, [.full]), isRatio: false),
      ClaimTotals("absolute, some assumed", figures(false, [.partial, .none]), isRatio: false),
      ClaimTotals("ratios, conditions published", figures(true, [.full]), isRatio: true),
      ClaimTotals("ratios, some assumed", figures(true, [.partial, .none]), isRatio: true),
      ClaimTotals("all absolute", figures(false, Claim.Conditions.allCases), isRatio: false),
      ClaimTotals("all ratios", figures(true, Claim.Conditions.allCases), isRatio: true),
    ]
  }
}
