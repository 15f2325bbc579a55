import EventKernel
import Testing

@testable import Statistics

@Suite struct RobustFitTests {
  /// y = 2 + 3 x at x = 0...9.
  private let line = (0..<10).map { (x: Double($0), y: 2 + 3 * Double($0)) }
  private let lineParameters = [
    FitParameter("offset", -10...10, start: 0), FitParameter("slope", -10...10, start: 0),
  ]

  private func lineResiduals(_ points: [(x: Double, y: Double)]) -> ([Double]) -> [Double] {
    { values in points.map { values[0] + values[1] * $0.x - $0.y } }
  }

  @Test func aLineIsFoundExactly() throws {
    let solution = try RobustFit(parameters: lineParameters).solve(lineResiduals(line))
    #expect(abs(solution.values[0] - 2) < 1e-6)
    #expect(abs(solution.values[1] - 3) < 1e-6)
    #expect(solution.cost < 1e-10)
  }

  @Test func standardErrorsAreThoseOfOrdinaryLeastSquares() throws {
    // Residuals alternate by 1, so sums are easy: s^2 = RSS / (n - 2), var(slope) = s^2 / Sxx, Sxx = 82.5.
    let noisy = line.enumerated().map { (x: $1.x, y: $1.y + ($0 % 2 == 0 ? 1.0 : -1.0)) }
    let solution = try RobustFit(parameters: lineParameters).solve(lineResiduals(noisy))
    let meanX = 4.5
    let meanY = noisy.reduce(0) { $0 + $1.y } / 10
    let slope = noisy.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / 82.5
    let offset = meanY - slope * meanX
    let square = noisy.reduce(0) { sum, point in
      let residual = offset + slope * point.x - point.y
      return sum + residual * residual
    }
    #expect(abs(solution.values[1] - slope) < 1e-6)
    let expected = (square / 8 / 82.5).squareRoot()
    #expect(abs(try #require(solution.standardErrors[1]) - expected) < 1e-4 * expected)
    let ofOffset = (square / 8 * (0.1 + meanX * meanX / 82.5)).squareRoot()
    #expect(abs(try #require(solution.standardErrors[0]) - ofOffset) < 1e-4 * ofOffset)
  }

  @Test func aDecayIsFoundOverOrdersOfMagnitude() throws {
    let points = (0..<20).map { (x: Double($0), y: 5 * PortableMath.exp(-0.02 * Double($0))) }
    let fit = RobustFit(parameters: [
      FitParameter("height", 0.01...1000, start: 1, scale: .logarithmic),
      FitParameter("rate", 1e-6...10, start: 1, scale: .logarithmic),
    ])
    let solution = try fit.solve { v in points.map { v[0] * PortableMath.exp(-v[1] * $0.x) - $0.y } }
    #expect(abs(solution.values[0] - 5) < 1e-4)
    #expect(abs(solution.values[1] - 0.02) < 1e-6)
  }

  @Test func outliersPullASquareFitAndNotARobustOne() throws {
    var points = line
    points[2].y += 100
    points[7].y -= 40
    let plain = try RobustFit(parameters: lineParameters).solve(lineResiduals(points))
    let robust = try RobustFit(parameters: lineParameters, loss: .softL1(scale: 0.1)).solve(lineResiduals(points))
    #expect(abs(plain.values[0] - 2) > 1)
    #expect(abs(robust.values[0] - 2) < 0.1)
    #expect(abs(robust.values[1] - 3) < 0.05)
  }

  @Test func aBoundThatStandsInTheWayIsReachedAndHasNoError() throws {
    let parameters = [lineParameters[0], FitParameter("slope", -10...1, start: 0)]
    let solution = try RobustFit(parameters: parameters).solve(lineResiduals(line))
    #expect(abs(solution.values[1] - 1) < 1e-3)
    #expect(solution.values[1] <= 1)
    // With slope 1 the best offset is the mean of y - x: 15.5 - 4.5 = 11, beyond its own bound of 10.
    #expect(abs(solution.values[0] - 10) < 1e-3)
    #expect(solution.standardErrors == [nil, nil])
  }

  @Test func severalStartsEscapeALocalMinimum() throws {
    // (v^2 - 4)^2 + small tilt has minima near -2 and 2; the one at -2 is lower.
    let model: ([Double]) -> [Double] = { [$0[0] * $0[0] - 4, 0.3 * ($0[0] + 2)] }
    var fit = RobustFit(parameters: [FitParameter("v", -4...4, start: 3)])
    #expect(try fit.solve(model).values[0] > 1)
    fit.starts = 8
    #expect(abs(try fit.solve(model).values[0] + 2) < 1e-4)
  }

  @Test func theSameSeedGivesTheSameBits() throws {
    var fit = RobustFit(parameters: lineParameters, loss: .softL1(scale: 1))
    fit.starts = 4
    var points = line
    points[3].y = 50
    let solution = try fit.solve(lineResiduals(points))
    #expect(try fit.solve(lineResiduals(points)) == solution)
  }

  @Test func aPointWithoutFiniteResidualsIsAvoided() throws {
    let fit = RobustFit(parameters: [FitParameter("v", 0...10, start: 2)])
    let solution = try fit.solve { [$0[0] > 6 ? Double.nan : $0[0] - 5, $0[0] > 6 ? .infinity : $0[0] - 5] }
    #expect(abs(solution.values[0] - 5) < 1e-4)
  }

  @Test func aProblemWithTooFewRowsIsRefused() {
    #expect(throws: FitError.tooFewResiduals(found: 1, parameters: 2)) {
      try RobustFit(parameters: lineParameters).solve(lineResiduals([(x: 1, y: 1)]))
    }
    #expect(throws: FitError.noParameters) { try RobustFit(parameters: []).solve { _ in [1] } }
    #expect(throws: FitError.notFiniteAtStart) {
      try RobustFit(parameters: lineParameters).solve { _ in [.nan, 1, 2] }
    }
  }

  @Test func softL1IsTheSquareNearZeroAndLinearFarOut() {
    let loss = RobustLoss.softL1(scale: 2)
    let near = loss.transformed(-0.001)
    #expect(near < 0 && abs(near * near - 1e-6) < 1e-12)
    // 2 s^2 (sqrt(1 + z) - 1) with r = 1000, s = 2: 8 (500.001 - 1).
    let far = loss.transformed(1000)
    #expect(abs(far * far - 8 * 499.000_999_999) < 1e-3)
  }

  @Test(arguments: [FitParameter.Scale.linear, .logarithmic])
  func valuesNeverLeaveTheirBounds(scale: FitParameter.Scale) {
    let parameter = FitParameter("v", 0.001...7, start: 1, scale: scale)
    var stream = RandomStream(seed: 3, name: "places")
    for _ in 0..<1000 {
      let value = parameter.value(at: 20 * stream.uniform() - 10)
      #expect(value >= 0.001 && value <= 7)
      let inside = parameter.value(atShare: 0.01 + 0.98 * stream.uniform())
      #expect(abs(parameter.value(at: parameter.place(of: inside)) - inside) < 1e-9)
    }
  }
}
