/// Attributes of lines.
enum Stroke {
  /// The line of a series, in the current colour.
  static func series(_ index: Int) -> [SVGBuilder.Attribute] {
    let dash = ChartTheme.dash(index)
    let attributes = [
      ("fill", "none"), ("stroke", "currentColor"), ("stroke-width", "2"), ("stroke-linejoin", "round"),
    ]
    return attributes + (dash.isEmpty ? [] : [("stroke-dasharray", dash)])
  }

  static let grid: [SVGBuilder.Attribute] = [("class", "rl-grid")]
  static let axis: [SVGBuilder.Attribute] = [("class", "rl-axis")]
  static let whisker: [SVGBuilder.Attribute] = [("stroke", "currentColor"), ("stroke-width", "1.3")]
}
