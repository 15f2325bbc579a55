import EventKernel
import Foundation
import Testing

@Suite struct RandomStreamTests {
  /// From an implementation of the same description in another language.
  @Test func `the bits of a seed and name are frozen`() {
    var unnamed = RandomStream(seed: 0, name: "")
    #expect((0..<3).map { _ in unnamed.bits() } == [0x1e28178eedbf0f30, 0x32dadb1a9e4a4d08, 0x4ef49088479a6d5c])
    var arrivals = RandomStream(seed: 42, name: "traffic.arrivals")
    #expect((0..<3).map { _ in arrivals.bits() } == [0x52921be97c2cf503, 0x61f113f28d69add3, 0x4056af40492109bb])
  }

  @Test func `the draws of a seed and name are frozen to the last bit`() {
    var stream = RandomStream(seed: 42, name: "frozen")
    #expect(stream.uniform() == 0.2906282730718335)
    #expect(stream.openUniform() == 0.8000389024695281)
    #expect(stream.integer(below: 1_000_000) == 168864)
    #expect(stream.exponential() == 0.2626719942920499)
    #expect(stream.normal() == -1.1338560016487231)
    #expect(stream.gamma(shape: 0.5) == 0.2000481007369296)
    #expect(stream.gamma(shape: 3) == 4.436420381561361)
  }

  @Test func `streams of other names or seeds are unrelated`() {
    var streams = [
      RandomStream(seed: 1, name: "a"), RandomStream(seed: 1, name: "b"), RandomStream(seed: 2, name: "a"),
      RandomStream(seed: 1, name: ""),
    ]
    let draws = streams.indices.map { index in (0..<4000).map { _ in streams[index].uniform() } }
    for left in draws.indices {
      for right in draws.indices where right > left {
        let product = zip(draws[left], draws[right]).map { ($0 - 0.5) * ($1 - 0.5) }.reduce(0, +)
        #expect(abs(product / 4000 * 12) < 4 / 4000.0.squareRoot())
      }
    }
  }

  @Test func `integers below a bound are equally likely`() {
    var stream = RandomStream(seed: 3, name: "integers")
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.integer(below: 7)] += 1 }
    let chiSquare = counts.map { pow(Double($0) - 10_000, 2) / 10_000 }.reduce(0, +)
    #expect(chiSquare < 22.5)  // 0.1 % point of chi-square with 6 degrees of freedom
    #expect(stream.integer(below: 1) == 0)
    #expect((0..<100).allSatisfy { _ in (0..<Int.max).contains(stream.integer(below: .max)) })
  }

  private struct Moments: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var mean: Double
    var variance: Double
    /// Fourth central moment over the variance squared.
    var kurtosis: Double
    var draw: @Sendable (inout RandomStream) -> Double
  }

  private static let distributions = [
    Moments(testDescription: "uniform", mean: 0.5, variance: 1.0 / 12, kurtosis: 1.8) { $0.uniform() },
    Moments(testDescription: "open uniform", mean: 0.5, variance: 1.0 / 12, kurtosis: 1.8) { $0.openUniform() },
    Moments(testDescription: "exponential", mean: 1, variance: 1, kurtosis: 9) { $0.exponential() },
    Moments(testDescription: "normal", mean: 0, variance: 1, kurtosis: 3) { $0.normal() },
    gamma(0.25), gamma(0.8), gamma(1), gamma(4.5), gamma(100),
  ]

  private static func gamma(_ shape: Double) -> Moments {
    Moments(testDescription: "gamma \(shape)", mean: shape, variance: shape, kurtosis: 3 + 6 / shape) {
      $0.gamma(shape: shape)
    }
  }

  @Test(arguments: distributions)
  private func `mean and variance are the distribution's, within four standard errors`(moments: Moments) {
    var stream = RandomStream(seed: 11, name: moments.testDescription)
    let count = 50_000.0
    let draws = (0..<Int(count)).map { _ in moments.draw(&stream) }
    let mean = draws.reduce(0, +) / count
    let variance = draws.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / count
    #expect(abs(mean - moments.mean) < 4 * (moments.variance / count).squareRoot())
    #expect(abs(variance - moments.variance) < 4 * moments.variance * ((moments.kurtosis - 1) / count).squareRoot())
  }

  @Test func `normal draws follow the bell from its middle to its tails`() {
    var stream = RandomStream(seed: 8, name: "bell")
    let draws = (0..<400_000).map { _ in stream.normal() }.sorted()
    var largest = 0.0
    for (index, draw) in draws.enumerated() {
      largest = max(largest, abs(PortableMath.normalCDF(draw) - (Double(index) + 0.5) / 400_000))
    }
    #expect(largest < 1.95 / 400_000.0.squareRoot())  // Kolmogorov's 0.1 % point
    let beyond = 400_000 * (1 - PortableMath.normalCDF(3.6)) * 2  // past the last layer of the ziggurat
    #expect(abs(Double(draws.count { abs($0) > 3.6 }) - beyond) < 4 * beyond.squareRoot())
  }

  @Test func `draws stay inside their ranges`() {
    var stream = RandomStream(seed: 5, name: "ranges")
    for _ in 0..<20_000 {
      let closed = stream.uniform()
      let open = stream.openUniform()
      #expect(closed >= 0 && closed < 1 && open > 0 && open < 1)
      #expect(stream.gamma(shape: 0.006) >= 0)
    }
  }
}
