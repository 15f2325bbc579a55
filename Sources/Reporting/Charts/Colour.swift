import EventKernel

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
