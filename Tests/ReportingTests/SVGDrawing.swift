import Foundation

@testable import Reporting

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A drawing read back, with its texts and numbers, to check what was drawn.
final class SVGDrawing: NSObject, XMLParserDelegate {
  struct Text {
    var content: String
    var box: ChartBox
  }

  private(set) var texts: [Text] = []
  private(set) var elements: [(name: String, attributes: [String: String])] = []
  private(set) var titles: [String] = []
  private(set) var summary = ""
  private(set) var width = 0.0
  private(set) var height = 0.0
  private var content = ""

  /// Nothing when the text is not well-formed XML.
  init?(_ svg: String) {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    guard parser.parse() else { return nil }
  }

  func count(_ name: String) -> Int { elements.filter { $0.name == name }.count }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    elements.append((name, attributes))
    content = ""
    if let size = attributes["viewBox"]?.split(separator: " ").compactMap({ Double($0) }), size.count == 4 {
      (width, height) = (size[2], size[3])
    }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { content += string }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "title" { titles.append(content) }
    if name == "desc" { summary = content }
    if name == "text", let last = elements.last, last.name == "text" { append(last.attributes) }
    content = ""
  }

  private func append(_ attributes: [String: String]) {
    func number(_ name: String) -> Double { attributes[name].flatMap(Double.init) ?? .nan }
    let style = TextStyle(size: number("font-size"), bold: attributes["font-weight"] != nil)
    let width = TextMetrics.width(content, style)
    let shift = ["start": 0, "middle": width / 2, "end": width][attributes["text-anchor"] ?? ""] ?? .nan
    let box = ChartBox(
      left: number("x") - shift, top: number("y") - 0.75 * style.size, width: width, height: 0.95 * style.size)
    texts.append(Text(content: content, box: box))
  }
}
