/// How a line of text is set.
package struct TextStyle: Sendable {
  package enum Anchor: String, Sendable { case start, middle, end }
  package enum Ink: String, Sendable {
    case normal = "rl-fg"
    case muted = "rl-muted"
    /// For text on coloured ground; the ground decides which.
    case black = "rl-black"
    case white = "rl-white"
    /// The background's colour, on the colour of a series.
    case ground = "rl-bg"
  }

  package var size: Double
  package var anchor: Anchor
  package var ink: Ink
  package var bold: Bool

  package init(size: Double = 12, anchor: Anchor = .start, ink: Ink = .normal, bold: Bool = false) {
    self.size = size
    self.anchor = anchor
    self.ink = ink
    self.bold = bold
  }

  package static let title = TextStyle(size: 15, bold: true)
  package static let subtitle = TextStyle(size: 12, ink: .muted)
  package static let axisTitle = TextStyle(size: 12, ink: .muted)
  package static let tick = TextStyle(size: 12, ink: .muted)
  package static let legend = TextStyle(size: 12)
  package static let note = TextStyle(size: 11, ink: .muted)

  package func anchored(_ anchor: Anchor) -> TextStyle {
    var style = self
    style.anchor = anchor
    return style
  }
}
