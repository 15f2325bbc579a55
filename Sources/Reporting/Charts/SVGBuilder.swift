import Quantities

/// Writes SVG elements one after another: escaped texts, numbers with at most two decimals.
///
/// Equal calls give equal bytes. Elements close in the order in which ``group(_:_:)`` opened them.
package struct SVGBuilder: Sendable {
  package private(set) var text = ""

  package init() {}

  /// An attribute: its name and value.
  package typealias Attribute = (name: String, value: String)

  /// An element without content, or with a title that browsers show under the pointer and readers read out.
  package mutating func element(_ name: String, _ attributes: [Attribute], title: String? = nil) {
    open(name, attributes)
    if let title {
      text += "><title>" + Self.escaped(title) + "</title></\(name)>\n"
    } else {
      text += "/>\n"
    }
  }

  /// An element with text inside.
  package mutating func element(_ name: String, _ attributes: [Attribute], text content: String) {
    open(name, attributes)
    text += ">" + Self.escaped(content) + "</\(name)>\n"
  }

  /// An element with elements inside.
  package mutating func group(_ name: String, _ attributes: [Attribute], _ content: (inout SVGBuilder) -> Void) {
    open(name, attributes)
    text += ">\n"
    content(&self)
    text += "</\(name)>\n"
  }

  /// All elements of another builder, here.
  package mutating func append(_ other: SVGBuilder) { text += other.text }

  private mutating func open(_ name: String, _ attributes: [Attribute]) {
    text += "<" + name
    for attribute in attributes { text += " \(attribute.name)=\"\(Self.escaped(attribute.value))\"" }
  }

  /// A coordinate in the drawing's units: two decimals, without trailing zeros.
  package static func number(_ value: Double) -> String {
    var text = fixedText(value, decimals: 2)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  /// A text as XML: markup escaped, characters that XML forbids replaced by U+FFFD.
  package static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x26: result += "&amp;"
      case 0x3c: result += "&lt;"
      case 0x3e: result += "&gt;"
      case 0x22: result += "&quot;"
      case 0x27: result += "&#39;"
      case 0x09, 0x0a, 0x0d: result += " "
      case ..<0x20, 0xfffe, 0xffff: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension SVGBuilder {
  package mutating func line(_ from: ChartPoint, _ to: ChartPoint, _ attributes: [Attribute]) {
    let ends = [("x1", from.x), ("y1", from.y), ("x2", to.x), ("y2", to.y)]
    element("line", ends.map { ($0.0, Self.number($0.1)) } + attributes)
  }

  package mutating func rectangle(_ box: ChartBox, _ attributes: [Attribute], title: String? = nil) {
    let places = [("x", box.left), ("y", box.top), ("width", box.width), ("height", box.height)]
    element("rect", places.map { ($0.0, Self.number($0.1)) } + attributes, title: title)
  }

  /// A line through points, in order.
  package mutating func polyline(_ points: [ChartPoint], _ attributes: [Attribute]) {
    element("polyline", [("points", Self.list(points))] + attributes)
  }

  package mutating func polygon(_ points: [ChartPoint], _ attributes: [Attribute], title: String? = nil) {
    element("polygon", [("points", Self.list(points))] + attributes, title: title)
  }

  private static func list(_ points: [ChartPoint]) -> String {
    points.map { number($0.x) + "," + number($0.y) }.joined(separator: " ")
  }

  /// A line of text whose baseline begins, centres or ends at a point.
  package mutating func label(_ content: String, at point: ChartPoint, _ style: TextStyle) {
    let attributes: [Attribute] = [
      ("x", Self.number(point.x)), ("y", Self.number(point.y)), ("font-size", Self.number(style.size)),
      ("text-anchor", style.anchor.rawValue), ("class", style.ink.rawValue),
    ]
    element("text", attributes + (style.bold ? [("font-weight", "bold")] : []), text: content)
  }
}
