extension RandomStream {
  /// Uniform in [0, 1): one of 2^53 equally spaced values.
  @inlinable
  public mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }

  /// Uniform in (0, 1): one of 2^52 equally spaced values, neither 0 nor 1.
  @inlinable
  public mutating func openUniform() -> Double { (Double(bits() >> 12) + 0.5) * 0x1p-52 }

  /// A whole number from 0 to `bound` - 1, each equally likely.
  ///
  /// The high half of bits x bound; the low half says when a draw must be repeated to stay without bias (D. Lemire,
  /// "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019).
  /// - Precondition: `bound` is positive.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a random integer needs a positive bound")
    let range = UInt64(bound)
    let excess = (0 &- range) % range
    while true {
      let product = range.multipliedFullWidth(by: bits())
      if product.low >= excess { return Int(product.high) }
    }
  }

  /// Exponential with mean 1.
  public mutating func exponential() -> Double { -PortableMath.log(openUniform()) }

  /// Normal with mean 0 and variance 1, from a ``Ziggurat``.
  public mutating func normal() -> Double { Ziggurat.normal.draw(&self) }

  /// Gamma with a shape and scale 1, so mean and variance equal `shape`.
  ///
  /// G. Marsaglia and W. Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26(3), 2000; a shape below
  /// 1 multiplies a draw at shape + 1 by a uniform to the power 1/shape, as that paper says.
  /// - Precondition: `shape` is positive.
  public mutating func gamma(shape: Double) -> Double {
    precondition(shape > 0 && shape.isFinite, "a gamma distribution needs a positive shape")
    if shape < 1 {
      let power = PortableMath.exp(PortableMath.log(openUniform()) / shape)
      return gamma(shape: shape + 1) * power
    }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let cube = root * root * root
      let bound = 0.5 * x * x + d * (1 - cube + PortableMath.log(cube))
      if PortableMath.log(openUniform()) < bound { return d * cube }
    }
  }
}
