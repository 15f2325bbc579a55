import ModelGraph
import Quantities

/// What one instance of an operator costs on one device, and why.
package struct OperatorPrice: Sendable, Equatable {
  package var time: Seconds
  package var energy: Joules
  package var bound: Bound

  package init(time: Seconds, energy: Joules, bound: Bound) {
    self.time = time
    self.energy = energy
    self.bound = bound
  }
}

/// The resource that decides a time.
package enum Bound: String, CaseIterable, Sendable {
  case compute, memory, link
  /// Fixed cost of starting a kernel or a message.
  case start
  /// Host work: launches, scheduling, sampling.
  case host
}

/// Time by what bounds it.
package struct TimeByBound: Sendable, Equatable {
  private var seconds = SIMD8<Double>()

  package init() {}

  package subscript(bound: Bound) -> Seconds {
    get { Seconds(seconds[bound.lane]) }
    set { seconds[bound.lane] = newValue.value }
  }

  /// Adds another's times, scaled.
  package mutating func add(_ other: TimeByBound, times factor: Double) { seconds += other.seconds * factor }

  /// The bound that takes most of the time; ties go to the earlier case.
  package var largest: Bound {
    Bound.allCases.reduce(.compute) { best, bound in self[bound] > self[best] ? bound : best }
  }
}

extension Bound {
  fileprivate var lane: Int {
    switch self {
    case .compute: 0
    case .memory: 1
    case .link: 2
    case .start: 3
    case .host: 4
    }
  }
}

/// The smooth maximum used where two resources overlap imperfectly: the 4-norm.
///
/// Order 4 needs only square roots, which IEEE 754 rounds exactly, so results agree on every machine.
@inline(__always)
func smoothMaximum(_ a: Double, _ b: Double) -> Double {
  let aSquared = a * a
  let bSquared = b * b
  return (aSquared * aSquared + bSquared * bSquared).squareRoot().squareRoot()
}

/// The 4-norm of three.
@inline(__always)
func smoothMaximum(_ a: Double, _ b: Double, _ c: Double) -> Double {
  let (aSquared, bSquared, cSquared) = (a * a, b * b, c * c)
  return (aSquared * aSquared + bSquared * bSquared + cSquared * cSquared).squareRoot().squareRoot()
}

/// The 2-norm: a softer maximum, where two limits are often met by different parts of one kernel.
@inline(__always)
func softMaximum(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
