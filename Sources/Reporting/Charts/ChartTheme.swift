/// Colours, dashes and markers of all charts.
///
/// The hues are after M. Okabe and K. Ito, "Color Universal Design" (2008), darkened on light ground and lightened on
/// dark ground until each stands out from it at 3 to 1 (WCAG 2.1, 1.4.11). Series differ in dash and marker too.
package enum ChartTheme {
  /// A colour on light and on dark ground, as #rrggbb.
  package struct Ink: Sendable {
    package var light: String
    package var dark: String
  }

  package static let background = Ink(light: "#ffffff", dark: "#16181d")
  package static let foreground = Ink(light: "#1b1d22", dark: "#eceef2")
  package static let muted = Ink(light: "#565b66", dark: "#a9afbb")
  package static let grid = Ink(light: "#e1e4ea", dark: "#31353e")

  package static let series = [
    Ink(light: "#0072b2", dark: "#56aee8"), Ink(light: "#c9510a", dark: "#f28c4b"),
    Ink(light: "#00805c", dark: "#35c79b"), Ink(light: "#a8518a", dark: "#e09ac4"),
    Ink(light: "#9a6a00", dark: "#e8bb4a"), Ink(light: "#5b6270", dark: "#b9c0cc"),
    Ink(light: "#2b8fc6", dark: "#9ad8fa"), Ink(light: "#8c2d04", dark: "#ff9d8a"),
  ]

  /// Stroke patterns; the first is solid.
  package static let dashes = ["", "7 3", "2 3", "9 3 2 3", "5 2", "12 4", "6 2 2 2 2 2", "3 5"]

  package static func className(_ index: Int) -> String { "rl-c\(index % series.count)" }

  /// Later rounds of the colours pair them with other dashes and markers.
  package static func dash(_ index: Int) -> String { dashes[(index + index / series.count) % dashes.count] }

  /// The style sheet inside every chart. Its names begin with `rl-`, because a page shares them; colours are custom
  /// properties, which a page may set; the plain colour before each is for renderers that know no properties.
  package static let styleSheet: String = {
    let named =
      [("bg", background), ("fg", foreground), ("muted", muted), ("grid", grid)]
      + series.enumerated().map { ("c\($0.offset)", $0.element) }
    func properties(_ ink: (Ink) -> String) -> String {
      named.map { "--rl-\($0.0):\(ink($0.1))" }.joined(separator: ";")
    }
    let colours = named.dropFirst(4).map { ".rl-\($0.0){color:\($0.1.light);color:var(--rl-\($0.0))}" }.joined()
    return """
      .rl-chart{\(properties(\.light));width:100%;max-width:640px;height:auto;font-family:Helvetica,Arial,sans-serif}
      @media (prefers-color-scheme:dark){.rl-chart{\(properties(\.dark))}}
      \(fills)
      \(colours)
      """
  }()

  private static let fills =
    [
      (".rl-bg", "fill", background, "bg"), (".rl-fg", "fill", foreground, "fg"),
      (".rl-muted", "fill", muted, "muted"), (".rl-grid", "stroke", grid, "grid"),
      (".rl-axis", "stroke", muted, "muted"), (".rl-halo", "stroke", background, "bg"),
    ].map { "\($0.0){\($0.1):\($0.2.light);\($0.1):var(--rl-\($0.3))}" }.joined()
    + ".rl-black{fill:#000}.rl-white{fill:#fff}"
}
