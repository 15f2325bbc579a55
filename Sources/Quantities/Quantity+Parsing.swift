/// Why a text is not a quantity of the wanted dimension.
public enum QuantityError: Error, Equatable, Sendable {
  /// The text does not begin with a finite number.
  case notANumber(text: String)
  /// The number stands alone; quantities spell their unit.
  case missingUnit(text: String, example: String)
  /// The unit is not one of the dimension's; `nearest` is the most similar one that is, if any is close.
  case unknownUnit(text: String, unit: String, dimension: String, nearest: String?)
}

extension Quantity {
  /// Reads `3.35 TB/s`, `80 GiB`, `560 ns`. Prefixes are decimal; `Ki`, `Mi`, `Gi`, `Ti`, `Pi` are binary.
  /// - Throws: ``QuantityError`` naming what was found.
  public init(parsing text: String) throws(QuantityError) {
    let trimmed = text.drop { $0 == " " }
    let numberEnd = trimmed.firstIndex { !"0123456789+-.eE_".contains($0) } ?? trimmed.endIndex
    var number = trimmed[..<numberEnd]
    var unit = trimmed[numberEnd...].filter { $0 != " " }
    // "1 EB" keeps its prefix: an `e` that ends the number belongs to the unit.
    while let last = number.last, last == "E" || last == "e" {
      number.removeLast()
      unit.insert(last, at: unit.startIndex)
    }
    let digits = number.filter { $0 != "_" }
    guard let amount = Double(digits), amount.isFinite else { throw .notANumber(text: text) }
    guard !unit.isEmpty else { throw .missingUnit(text: text, example: Self.exampleSpelling) }
    guard let factor = Self.factor(of: unit) else {
      // `TB` for `TB/s` is too short a text to be near it.
      let nearest =
        nearestName(to: unit, among: Self.spellings) ?? Self.spellings.first { $0.hasPrefix(unit + "/") }
      throw .unknownUnit(text: text, unit: unit, dimension: D.title, nearest: nearest)
    }
    guard (amount * factor).isFinite else { throw .notANumber(text: text) }
    self.init(amount * factor)
  }

  /// A number with the dimension's first symbol, shown where a unit is missing.
  static var exampleSpelling: String { "1 \(D.symbols[0].text)" }

  static func factor(of unit: String) -> Double? {
    for symbol in D.symbols where unit.hasSuffix(symbol.text) {
      let prefix = String(unit.dropLast(symbol.text.count))
      if prefix.isEmpty { return symbol.factor }
      if symbol.takesPrefix, let scale = UnitPrefix.named(prefix) { return scale * symbol.factor }
    }
    return nil
  }

  static var spellings: [String] {
    D.symbols.flatMap { symbol in
      [symbol.text] + (symbol.takesPrefix ? UnitPrefix.all.map { $0.text + symbol.text } : [])
    }
  }
}

/// A decimal or binary multiple.
enum UnitPrefix {
  static let all: [(text: String, scale: Double)] = [
    ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15), ("E", 1e18),
    ("m", 1e-3), ("u", 1e-6), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12), ("f", 1e-15),
    ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776),
    ("Pi", 1_125_899_906_842_624),
  ]

  static func named(_ text: String) -> Double? { all.first { $0.text == text }?.scale }
}
