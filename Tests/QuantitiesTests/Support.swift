import EventKernel
import Testing

@testable import Quantities

/// The error a text is refused with, or nothing when it is read.
func fault<D>(_ text: String, _: Quantity<D>.Type) -> QuantityError? {
  do throws(QuantityError) {
    _ = try Quantity<D>(parsing: text)
    return nil
  } catch {
    return error
  }
}

/// Whether two numbers agree to so many parts of the larger.
func close(_ a: Double, _ b: Double, within tolerance: Double) -> Bool {
  abs(a - b) <= tolerance * max(abs(a), abs(b))
}
