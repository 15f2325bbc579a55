import EventKernel

/// Draws the tokens of a request's own text and of its answer.
struct LengthSource {
  private let lengths: TrafficClass.Lengths
  private let coupling: Coupling?

  init(_ lengths: TrafficClass.Lengths) {
    self.lengths = lengths
    guard case .drawn(let drawn) = lengths, drawn.rankCorrelation != 0 else {
      coupling = nil
      return
    }
    coupling = Coupling(rankCorrelation: drawn.rankCorrelation)
  }

  /// Draws both from streams of their own.
  func draw(inputs: inout RandomStream, outputs: inout RandomStream) -> (input: Int, output: Int) {
    switch lengths {
    case .drawn(let drawn):
      guard let coupling else { return (drawn.input.draw(&inputs), drawn.output.draw(&outputs)) }
      let z = inputs.normal()
      let partner = coupling.partner(of: z, independent: outputs.normal())
      return (drawn.input.tokens(normal: z), drawn.output.tokens(normal: partner))
    case .recorded(let table):
      let pair = table.pairs[inputs.integer(below: table.pairs.count)]
      return (Int(pair.input), Int(pair.output))
    case .conversations(let table):
      let conversation = table[inputs.integer(below: table.count)]
      let first = conversation[conversation.startIndex]
      return (Int(first.input), Int(first.output))
    }
  }

  /// Draws both from one stream.
  func draw(_ stream: inout RandomStream) -> (input: Int, output: Int) {
    guard coupling == nil, case .drawn(let drawn) = lengths else {
      var other = RandomStream(seed: stream.bits(), name: "outputs")
      return draw(inputs: &stream, outputs: &other)
    }
    let input = drawn.input.draw(&stream)
    return (input, drawn.output.draw(&stream))
  }
}

/// A Gaussian copula: two standard normals with a given rank correlation.
private struct Coupling {
  private let shared: Double
  private let own: Double

  /// Pearson's correlation of two normals is 2 sin(pi/6 x Spearman's).
  init(rankCorrelation: Double) {
    shared = min(1, max(-1, 2 * PortableMath.sineCosine(turns: rankCorrelation / 12).sine))
    own = (1 - shared * shared).squareRoot()
  }

  func partner(of z: Double, independent: Double) -> Double { shared * z + own * independent }
}
