import EventKernel
import Foundation
import Testing

@Suite struct PortableMathTests {
  private var stream = RandomStream(seed: 1, name: "math")

  @Test mutating func `logarithms agree with the C library to 5e-16`() {
    for _ in 0..<20_000 {
      let x = Foundation.exp(1400 * (stream.uniform() - 0.5)) * (1 + stream.uniform())
      let expected = Foundation.log(x)
      #expect(abs(PortableMath.log(x) - expected) <= 5e-16 * abs(expected))
      let near = 1 + (stream.uniform() - 0.5) * 1e-3
      #expect(abs(PortableMath.log(near) - Foundation.log(near)) <= 5e-16 * abs(Foundation.log(near)))
    }
    #expect(PortableMath.log(1) == 0)
  }

  @Test mutating func `exponentials agree with the C library to 5e-16`() {
    for _ in 0..<20_000 {
      let x = 1400 * (stream.uniform() - 0.5)
      #expect(abs(PortableMath.exp(x) - Foundation.exp(x)) <= 5e-16 * Foundation.exp(x))
    }
    #expect(PortableMath.exp(0) == 1)
    #expect(PortableMath.exp(-1000) == 0 && PortableMath.exp(1000) == .infinity && PortableMath.exp(.nan).isNaN)
    #expect(PortableMath.exp(-740) > 0 && PortableMath.exp(-740) < .leastNormalMagnitude)
  }

  @Test func `shares of the normal agree with the error function to 1e-15`() {
    for step in -900...900 {
      let x = Double(step) / 100
      #expect(abs(PortableMath.normalCDF(x) - 0.5 * erfc(-x / 2.0.squareRoot())) < 1e-15)
    }
  }
}
