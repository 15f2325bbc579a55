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
      let reach = max(abs(high - centre), abs(low - centre), 1e-12 * max(abs(centre), 1))
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

/// A colour of the sRGB space.
package struct Colour: Sendable, Equatable {
  let red: Double
  let green: Double
  let blue: Double

  /// From 0xrrggbb.
  init(_ code: Int) {
    red = Double(code >> 16 & 0xff)
    green = Double(code >> 8 & 0xff)
    blue = Double(code & 0xff)
  }

  private init(red: Double, green: Double, blue: Double) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  func mixed(with other: Colour, _ share: Double) -> Colour {
    func mix(_ a: Double, _ b: Double) -> Double { (a + share * (b - a)).rounded() }
    return Colour(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }

  var text: String { "rgb(\(Int(red)),\(Int(green)),\(Int(blue)))" }

  /// Relative luminance, 0 to 1 (WCAG 2.1).
  var luminance: Double { 0.2126 * Self.linear(red) + 0.7152 * Self.linear(green) + 0.0722 * Self.linear(blue) }

  private static func linear(_ channel: Double) -> Double {
    let share = channel / 255
    guard share > 0.04045 else { return share / 12.92 }
    return PortableMath.exp(2.4 * PortableMath.log((share + 0.055) / 1.055))
  }

  /// Which text stands out more on this ground.
  var ink: TextStyle.Ink { luminance > 0.179 ? .black : .white }
}
