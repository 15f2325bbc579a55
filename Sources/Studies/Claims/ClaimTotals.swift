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

  /// Absolute figures and ratios by what is published of their conditions, the best known first.
  package static func all(of claims: [ScoredClaim]) -> [ClaimTotals] {
    [(false, "absolute"), (true, "ratios")].flatMap { isRatio, name in
      let figures = { (standings: [ScoredClaim.Standing]) in
        claims.filter { standings.contains($0.standing) }.flatMap(\.figures)
          .filter { $0.figure.form.isRatio == isRatio }
      }
      let parts = ScoredClaim.Standing.allCases.map { standing in
        ClaimTotals("\(name), \(standing.rawValue)", figures([standing]), isRatio: isRatio)
      }
      let main = ClaimTotals("\(name), main conditions published", figures([.published, .assumed]), isRatio: isRatio)
      return parts + [main, ClaimTotals("all \(name)", figures(ScoredClaim.Standing.allCases), isRatio: isRatio)]
    }
  }
}
