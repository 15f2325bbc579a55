/// The shapes that tell series apart without colour.
package enum Marker: Int, CaseIterable, Sendable {
  case circle, square, triangle, diamond, wedge, cross, plus, bar

  /// The marker of a series; a second round of colours begins one shape later.
  package init(series index: Int) {
    let count = Self.allCases.count
    self = Self.allCases[(index + index / ChartTheme.series.count) % count]
  }

  /// Draws the shape in the current colour.
  /// - Parameter radius: Half its size, in the drawing's units.
  package func draw(at centre: ChartPoint, radius: Double, in svg: inout SVGBuilder, title: String? = nil) {
    guard self != .circle else {
      let places = [("cx", centre.x), ("cy", centre.y), ("r", radius)].map { ($0.0, SVGBuilder.number($0.1)) }
      return svg.element("circle", places + [("fill", "currentColor")], title: title)
    }
    let points = outline.map { ChartPoint(centre.x + $0.0 * radius, centre.y + $0.1 * radius) }
    svg.polygon(points, [("fill", "currentColor")], title: title)
  }

  /// Corners around the centre, for a radius of 1.
  private var outline: [(Double, Double)] {
    switch self {
    case .circle: []
    case .square: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
    case .triangle: [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)]
    case .diamond: [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)]
    case .wedge: [(0, 1.15), (1.1, -0.85), (-1.1, -0.85)]
    case .cross: Self.turned(Self.plusOutline)
    case .plus: Self.plusOutline
    case .bar: [(-1.3, -0.4), (1.3, -0.4), (1.3, 0.4), (-1.3, 0.4)]
    }
  }

  private static let plusOutline: [(Double, Double)] = [
    (-0.35, -1.2), (0.35, -1.2), (0.35, -0.35), (1.2, -0.35), (1.2, 0.35), (0.35, 0.35),
    (0.35, 1.2), (-0.35, 1.2), (-0.35, 0.35), (-1.2, 0.35), (-1.2, -0.35), (-0.35, -0.35),
  ]

  /// Turned by 45 degrees.
  private static func turned(_ points: [(Double, Double)]) -> [(Double, Double)] {
    let half = 0.5.squareRoot()
    return points.map { (($0.0 - $0.1) * half, ($0.0 + $0.1) * half) }
  }
}
