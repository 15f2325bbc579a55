import EventKernel
import Testing

@testable import Statistics

@Suite struct RankCorrelationTests {
  @Test(
    arguments: [
      (0.0, 0.0), (1, 1), (-1, -1), (1.0 / 3, 0.5), (-1.0 / 3, -0.5), (0.5, 0.7071067811865476),
    ] as [(Double, Double)])
  func `tau and rho agree with the known angles`(tau: Double, rho: Double) {
    #expect(abs(RankCorrelation.rho(tau: tau) - rho) < 1e-14)
    #expect(abs(RankCorrelation.tau(rho: rho) - tau) < 1e-14)
  }

  @Test func `tau and rho are each other's inverse`() {
    for tau in stride(from: -1.0, through: 1, by: 0.001) {
      #expect(abs(RankCorrelation.tau(rho: RankCorrelation.rho(tau: tau)) - tau) < 1e-8)
    }
  }

  @Test(arguments: [0.0, 0.25, 0.54, 0.9, 1]) func `predictions rank as well as stated`(tau: Double) throws {
    var stream = RandomStream(seed: 3, name: "predictions")
    let rho = RankCorrelation.rho(tau: tau)
    let pairs = (0..<20_000).map { _ in
      let score = stream.normal()
      return (x: score, y: RankCorrelation.prediction(of: score, rho: rho, &stream))
    }
    // The standard error of tau over so many pairs is below 0.005.
    #expect(abs(try #require(KendallTau.b(pairs)) - tau) < 0.015)
    let (mean, square) = (pairs.map(\.y).mean, pairs.map { $0.y * $0.y }.mean)
    #expect(abs(mean) < 0.03 && abs(square - 1) < 0.05)
  }

  @Test func `a sample's values come back from their scores, and scores are normal`() throws {
    var stream = RandomStream(seed: 4, name: "scores")
    let sample = (0..<5000).map { _ in Int(PortableMath.exp(4 + stream.normal())) }
    let scores = try #require(RankScores(sample: sample))
    let drawn = sample.map { (value: $0, score: scores.score(of: $0, &stream)) }
    #expect(drawn.allSatisfy { scores.value(at: $0.score) == $0.value })
    #expect(abs(drawn.map(\.score).mean) < 0.02 && abs(drawn.map { $0.score * $0.score }.mean - 1) < 0.05)
    #expect(scores.value(at: -40) == sample.min() && scores.value(at: 40) == sample.max())
    #expect(scores.score(of: -1, &stream) < -3 && scores.score(of: .max, &stream) > 3)
    #expect(RankScores(sample: []) == nil)
  }

  @Test func `predicted lengths keep the stated rank accuracy`() throws {
    var stream = RandomStream(seed: 6, name: "lengths")
    let sample = (0..<10_000).map { _ in Int(PortableMath.exp(6 + stream.normal())) }
    let scores = try #require(RankScores(sample: sample))
    let rho = RankCorrelation.rho(tau: 0.6)
    let pairs = sample.map { length in
      let score = scores.score(of: length, &stream)
      return (x: length, y: scores.value(at: RankCorrelation.prediction(of: score, rho: rho, &stream)))
    }
    #expect(abs(try #require(KendallTau.b(pairs)) - 0.6) < 0.02)
  }

  @Test(
    arguments: [
      ([1, 2, 3, 4], [1, 2, 3, 4], 1), ([1, 2, 3, 4], [4, 3, 2, 1], -1), ([1, 2, 3, 4], [1, 3, 2, 4], 2.0 / 3),
      // One tie in x: 5 pairs agree of 5 untied; 5 / sqrt(5 x 6).
      ([1, 1, 2, 3], [1, 2, 3, 4], 0.9128709291752769),
    ] as [([Int], [Int], Double)])
  func `tau-b agrees with hand counts`(x: [Int], y: [Int], tau: Double) throws {
    #expect(abs(try #require(KendallTau.b(zip(x, y).map { (x: $0, y: $1) })) - tau) < 1e-12)
  }

  @Test(arguments: 0..<50) func `tau-b agrees with counting all pairs`(seed: Int) {
    var stream = RandomStream(seed: UInt64(seed), name: "tau")
    let pairs = (0..<(2 + seed % 30)).map { _ in (x: stream.integer(below: 8), y: stream.integer(below: 8)) }
    var (sum, untiedX, untiedY) = (0, 0, 0)
    for (index, a) in pairs.enumerated() {
      for b in pairs[(index + 1)...] {
        sum += (a.x - b.x).signum() * (a.y - b.y).signum()
        untiedX += a.x != b.x ? 1 : 0
        untiedY += a.y != b.y ? 1 : 0
      }
    }
    let expected = untiedX > 0 && untiedY > 0 ? Double(sum) / (Double(untiedX) * Double(untiedY)).squareRoot() : nil
    let found = KendallTau.b(pairs)
    #expect((found == nil) == (expected == nil))
    if let found, let expected { #expect(abs(found - expected) < 1e-12) }
  }

  @Test func `order has no measure where all values are equal`() { #expect(KendallTau.b([(1, 1), (1, 2)]) == nil) }

  @Test func `the normal quantile is the inverse of the distribution function`() {
    for score in stride(from: -5.0, through: 5, by: 0.01) {
      // The share is right to 5e-16; the density says what that is in scores.
      let density = 0.3989 * PortableMath.exp(-score * score / 2)
      #expect(abs(NormalQuantile.of(PortableMath.normalCDF(score)) - score) < 1e-14 + 6e-16 / density)
    }
    #expect(abs(NormalQuantile.of(0.975) - 1.959963984540054) < 1e-14)
    #expect(abs(NormalQuantile.of(1e-10) + 6.361340902404056) < 1e-13)
    #expect(NormalQuantile.of(0.5) == 0)
  }
}
