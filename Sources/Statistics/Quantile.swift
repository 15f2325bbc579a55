/// Quantiles of a sample.
package enum Quantile {
  /// The value below which a share of the sample lies, interpolated between neighbours (R's type 7).
  /// - Precondition: The sample is not empty and `share` lies in 0...1.
  package static func value(_ sample: [Double], at share: Double) -> Double {
    precondition(!sample.isEmpty && (0...1).contains(share), "a quantile is of a sample, between 0 and 1")
    let ranked = sample.sorted()
    let place = share * Double(ranked.count - 1)
    let below = Int(place.rounded(.down))
    let above = min(below + 1, ranked.count - 1)
    return ranked[below] + (place - Double(below)) * (ranked[above] - ranked[below])
  }

  package static func median(_ sample: [Double]) -> Double { value(sample, at: 0.5) }
}
