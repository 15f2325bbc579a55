/// What help, documents and messages say of something chosen by name (a policy, a technique), and the parameters it takes.
package struct ChoiceDescription: Sendable {
  package var name: String
  package var summary: String
  package var parameters: [ChoiceParameter]
  /// Where it was published, or what does it so.
  package var source: String

  package init(_ name: String, _ summary: String, source: String, _ parameters: [ChoiceParameter] = []) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.source = source
  }
}

/// Something that a choice can be given.
package struct ChoiceParameter: Sendable {
  package enum Kind: Sendable {
    /// Numbers without a standard must be given.
    case number(ClosedRange<Double>, standard: Double?)
    case whole(ClosedRange<Int>, standard: Int?)
    /// One of some words.
    case choice([String], standard: String)
    /// Free text, which has no standard: it must be given.
    case text
  }

  package var name: String
  package var meaning: String
  package var kind: Kind
  /// Unit, for help: "tokens", "s"; empty for plain numbers and words.
  package var unit: String

  private init(_ name: String, _ meaning: String, _ kind: Kind, unit: String) {
    self.name = name
    self.meaning = meaning
    self.kind = kind
    self.unit = unit
  }

  package init(_ name: String, _ meaning: String, _ range: ClosedRange<Double>, standard: Double, unit: String = "") {
    self.init(name, meaning, .number(range, standard: standard), unit: unit)
  }

  /// A number that has no standard, because a model's behaviour or a publication decides it.
  package static func required(
    _ name: String, _ meaning: String, _ range: ClosedRange<Double>, unit: String = ""
  ) -> ChoiceParameter {
    ChoiceParameter(name, meaning, .number(range, standard: nil), unit: unit)
  }

  /// The same for a whole number.
  package static func requiredWhole(
    _ name: String, _ meaning: String, _ range: ClosedRange<Int>, unit: String = ""
  ) -> ChoiceParameter {
    ChoiceParameter(name, meaning, .whole(range, standard: nil), unit: unit)
  }

  package static func whole(
    _ name: String, _ meaning: String, _ range: ClosedRange<Int>, standard: Int, unit: String = ""
  ) -> ChoiceParameter {
    ChoiceParameter(name, meaning, .whole(range, standard: standard), unit: unit)
  }

  package static func choice(
    _ name: String, _ meaning: String, _ words: [String], standard: String
  ) -> ChoiceParameter {
    ChoiceParameter(name, meaning, .choice(words, standard: standard), unit: "")
  }

  package static func text(_ name: String, _ meaning: String) -> ChoiceParameter {
    ChoiceParameter(name, meaning, .text, unit: "")
  }

  /// What it is when it is not given; nothing when it must be.
  package var standard: ChoiceValue? {
    switch kind {
    case .number(_, let value): value.map(ChoiceValue.number)
    case .whole(_, let value): value.map { .number(Double($0)) }
    case .choice(_, let word): .text(word)
    case .text: nil
    }
  }

  /// The same with another standard.
  /// - Returns: Nothing when the parameter may not have that value.
  package func withStandard(_ text: String) -> ChoiceParameter? {
    guard let value = value(text) else { return nil }
    var parameter = self
    switch (kind, value) {
    case (.number(let range, _), .number(let number)): parameter.kind = .number(range, standard: number)
    case (.whole(let range, _), .number(let number)): parameter.kind = .whole(range, standard: Int(number))
    case (.choice(let words, _), .text(let word)): parameter.kind = .choice(words, standard: word)
    default: return nil
    }
    return parameter
  }

  /// What it may be: "a number from 0 to 1", for help and messages.
  package var expected: String {
    let suffix = unit.isEmpty ? "" : " \(unit)"
    return switch kind {
    case .number(let range, _):
      "a number from \(ChoiceValue.number(range.lowerBound)) to \(ChoiceValue.number(range.upperBound))" + suffix
    case .whole(let range, _): "a whole number from \(range.lowerBound) to \(range.upperBound)" + suffix
    case .choice(let words, _): "one of \(words.joined(separator: ", "))"
    case .text: "a text"
    }
  }

  /// Reads a value.
  /// - Returns: Nothing when it is none that the parameter may have.
  func value(_ text: String) -> ChoiceValue? {
    switch kind {
    case .number(let range, _):
      guard let number = Double(text), number.isFinite, range.contains(number) else { return nil }
      return .number(number)
    case .whole(let range, _):
      guard let number = Double(text), let whole = Int(exactly: number), range.contains(whole) else { return nil }
      return .number(number)
    case .choice(let words, _): return words.contains(text) ? .text(text) : nil
    case .text: return text.isEmpty ? nil : .text(text)
    }
  }
}

/// A number or a word that a choice was given.
package enum ChoiceValue: Sendable, Hashable, CustomStringConvertible {
  case number(Double)
  case text(String)

  package var description: String {
    switch self {
    case .number(let value):
      Int(exactly: value).map { abs($0) < 1_000_000_000_000 ? "\($0)" : "\(value)" } ?? "\(value)"
    case .text(let text): text
    }
  }
}

/// What a choice was given: every parameter that has a standard has a value.
package struct ChoiceValues: Sendable, Hashable {
  private var values: [String: ChoiceValue] = [:]

  package init() {}

  package init(standardsOf description: ChoiceDescription) {
    for parameter in description.parameters { values[parameter.name] = parameter.standard }
  }

  mutating func set(_ name: String, _ value: ChoiceValue) { values[name] = value }

  /// What a parameter was given, or its standard.
  package func value(_ name: String) -> ChoiceValue? { values[name] }

  /// Whether a parameter has a value: given, or its standard.
  package func has(_ name: String) -> Bool { values[name] != nil }

  /// A number; 0 for a parameter that is none.
  package subscript(name: String) -> Double {
    get { if case .number(let value)? = values[name] { value } else { 0 } }
    set { values[name] = .number(newValue) }
  }

  package func int(_ name: String) -> Int { Int(self[name].rounded()) }

  /// A word or a text; empty for a parameter that is none.
  package func text(_ name: String) -> String {
    if case .text(let text)? = values[name] { text } else { "" }
  }
}
