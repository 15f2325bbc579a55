import Documents
import EventKernel

/// Makes up requests on the fly: the same traffic, seed and count give the same requests on every machine.
///
/// Arrivals, input lengths and output lengths draw from streams of their own (`traffic.arrivals`,
/// `traffic.input-tokens`, `traffic.output-tokens`), so that changing one leaves the others as they were; only with a
/// rank correlation do output lengths follow the inputs, through a Gaussian copula.
package struct TrafficGenerator: RequestSource {
  private let traffic: Traffic
  private let requests: Int
  private let coupling: Coupling?
  private var arrivals: ArrivalGenerator
  private var inputs: RandomStream
  private var outputs: RandomStream
  private var generated = 0

  package var count: Int? { requests }

  /// - Parameter requests: How many to generate; the traffic's default when nothing.
  package init(_ traffic: Traffic, seed: UInt64, requests: Int? = nil) {
    self.traffic = traffic
    self.requests = requests ?? traffic.requests
    precondition(self.requests >= 0, "a number of requests is not negative")
    coupling = traffic.rankCorrelation == 0 ? nil : Coupling(rankCorrelation: traffic.rankCorrelation)
    arrivals = ArrivalGenerator(traffic.arrivals, seed: seed)
    inputs = RandomStream(seed: seed, name: "traffic.input-tokens")
    outputs = RandomStream(seed: seed, name: "traffic.output-tokens")
  }

  /// - Throws: `DataError` when the arrivals reach the end of the clock, 292 years on.
  package mutating func next() throws -> Request? {
    guard generated < requests else { return nil }
    guard let arrival = arrivals.next() else {
      throw DataError(
        file: traffic.name, field: "arrivals",
        problem: "request \(generated + 1) arrives beyond 292 years, the clock's range; raise the rate")
    }
    generated += 1
    let (input, output) = lengths()
    return Request(arrival: arrival, inputTokens: input, outputTokens: output)
  }

  private mutating func lengths() -> (input: Int, output: Int) {
    guard let coupling else { return (traffic.inputTokens.draw(&inputs), traffic.outputTokens.draw(&outputs)) }
    let z = inputs.normal()
    let partner = coupling.partner(of: z, independent: outputs.normal())
    return (traffic.inputTokens.tokens(normal: z), traffic.outputTokens.tokens(normal: partner))
  }
}

/// A Gaussian copula: two standard normals with a given rank correlation.
private struct Coupling {
  private let shared: Double
  private let own: Double

  /// Pearson's correlation of two normals is 2 sin(pi/6 x Spearman's); its series to x^11 is exact to a double's
  /// last digits for |x| <= pi/6.
  init(rankCorrelation: Double) {
    let x = rankCorrelation * 0.5235987755982988
    let q = x * x
    let sine = x * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72 * (1 - q / 110)))))
    shared = min(1, max(-1, 2 * sine))
    own = (1 - shared * shared).squareRoot()
  }

  func partner(of z: Double, independent: Double) -> Double { shared * z + own * independent }
}
