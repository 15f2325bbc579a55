/// What stands above a chart and what is read out instead of it.
package struct ChartHeader: Sendable {
  package var title: String
  /// A smaller line under the title; empty for none.
  package var subtitle: String
  /// What the chart shows, for people who do not see it; the chart's own words when empty.
  package var description: String
  /// Begins the ids inside the drawing. Charts on one page need different ones.
  package var id: String

  /// - Parameter id: Made of the title when none is given.
  package init(_ title: String, subtitle: String = "", description: String = "", id: String? = nil) {
    self.title = title
    self.subtitle = subtitle
    self.description = description
    self.id = Self.identifier(id ?? title)
  }

  /// Letters and digits of a text, with hyphens for the rest; never empty, never beginning with a digit.
  private static func identifier(_ text: String) -> String {
    let words = text.lowercased().unicodeScalars.split { scalar in
      !(scalar.isASCII && scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
    }
    return (["chart"] + words.map(String.init)).joined(separator: "-")
  }
}
