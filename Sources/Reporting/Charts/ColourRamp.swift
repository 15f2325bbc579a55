import EventKernel

/// Colours for numbers: from dark to light for amounts, over a pale middle for differences.
package struct ColourRamp: Sendable {
  package enum Kind: Sendable, Equatable {
    /// More is lighter. After matplotlib's viridis (S. van der Walt and N. Smith, 2015, CC0), sampled at nine places:
    /// its lightness rises evenly, so it reads without colour and with any colour blindness.
    case amount
    /// As `amount`, by the logarithm of positive numbers.
    case logarithmicAmount
    /// Blue below a centre, orange above, as far apart on one side as on the other.
    case difference(from: Double)
  }

  let kind: Kind
  let domain: ClosedRange<Double>

  /// A ramp over the values that it can show.
  init(_ kind: Kind, over values: [Double]) {
    self.kind = kind
    let shown = values.filter { Self.accepts($0, kind) }
    let (low, high) = (shown.min() ?? 0, shown.max() ?? 1)
    switch kind {
    case .amount: domain = low < high ? low...high : low...(low + max(abs(low), 1))
    case .logarithmicAmount:
      let low = shown.min() ?? 1
      domain = low...max(high, low * 2)
    case .difference(let centre):
      let farthest = max(abs(high - centre), abs(low - centre))
      let reach = farthest > 1e-12 * abs(centre) ? farthest : max(abs(centre), 1)
      domain = centre - reach...centre + reach
    }
  }

  static func accepts(_ value: Double, _ kind: Kind) -> Bool {
    Axis("", kind: kind == .logarithmicAmount ? .logarithmic : .linear).accepts(value)
  }

  /// The value at a share of the ramp, for its key.
  func value(at share: Double) -> Double {
    guard kind == .logarithmicAmount else {
      return domain.lowerBound + share * (domain.upperBound - domain.lowerBound)
    }
    return domain.lowerBound * PortableMath.exp(share * PortableMath.log(domain.upperBound / domain.lowerBound))
  }

  func colour(_ value: Double) -> Colour {
    let axis: Axis.Kind = kind == .logarithmicAmount ? .logarithmic : .linear
    let share = Scale(kind: axis, domain: domain, start: 0, end: 1).position(value)
    return Self.blend(stops, min(1, max(0, share)))
  }

  private var stops: [Colour] {
    switch kind {
    case .amount, .logarithmicAmount: Self.viridis
    case .difference: Self.diverging
    }
  }

  private static let viridis = [
    0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725,
  ].map(Colour.init)
  private static let diverging = [0x004c85, 0x3f8fc6, 0xa9cbe4, 0xf2f1ee, 0xf3bf94, 0xd9752f, 0x8f3a04].map(Colour.init)

  private static func blend(_ stops: [Colour], _ share: Double) -> Colour {
    let place = share * Double(stops.count - 1)
    let index = min(stops.count - 2, Int(place))
    return stops[index].mixed(with: stops[index + 1], place - Double(index))
  }
}
