/// Estimates of how wide text becomes, so that nothing overlaps or leaves the drawing.
///
/// The page's font is not known. The widths are Helvetica's, times 1.16, which covers wider substitutes such as
/// DejaVu Sans: most texts take less room than estimated.
package enum TextMetrics {
  private static let allowance = 1.16

  /// Helvetica's advance widths of the printable ASCII characters, in thousandths of the size.
  private static let widths: [Int] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]

  /// The width of a text, in the drawing's units.
  package static func width(_ text: String, _ style: TextStyle) -> Double {
    let thousandths = text.unicodeScalars.reduce(0) { $0 + width($1) }
    return Double(thousandths) / 1000 * style.size * allowance * (style.bold ? 1.08 : 1)
  }

  /// Letters beyond ASCII count as wide Latin ones; from the East Asian blocks on, as squares.
  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20...0x7e: widths[Int(scalar.value) - 0x20]
    case 0x1100...0x115f, 0x2e80...: 1000
    default: 700
    }
  }

  /// The text, or as much of it as fits with an ellipsis.
  package static func fitted(_ text: String, width limit: Double, _ style: TextStyle) -> String {
    guard width(text, style) > limit else { return text }
    var kept = text
    while !kept.isEmpty, width(kept + "…", style) > limit { kept.removeLast() }
    while kept.last == " " { kept.removeLast() }
    return kept + "…"
  }

  /// The text broken at spaces into lines that fit; a word too long for a line is cut.
  package static func lines(_ text: String, width limit: Double, _ style: TextStyle) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(whereSeparator: \.isWhitespace) {
      let longer = line.isEmpty ? String(word) : line + " " + word
      if width(longer, style) <= limit {
        line = longer
      } else {
        if !line.isEmpty { lines.append(line) }
        line = fitted(String(word), width: limit, style)
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
