import Documents

/// Cuts a text into pieces that byte-pair encoding never joins.
///
/// GPT-2's pattern: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`. SmolLM's cuts out every
/// single number first.
struct TextSplitter: Sendable {
  private let cutsNumbers: Bool

  /// - Throws: `DataError` for a pattern that is not understood.
  init(_ file: GGUFFile) throws {
    let name = file.metadata["tokenizer.ggml.pre"] == nil ? "default" : try file.text("tokenizer.ggml.pre")
    switch name {
    case "smollm": cutsNumbers = true
    case "gpt-2", "default": cutsNumbers = false
    default:
      throw file.error("tokenizer.ggml.pre", "found \(shown(name)), expected smollm, gpt-2 or default")
    }
  }

  init(cutsNumbers: Bool) { self.cutsNumbers = cutsNumbers }

  func pieces(_ text: String) -> [String] {
    let scalars = Array(text.unicodeScalars)
    var pieces: [String] = []
    var start = 0
    while start < scalars.count {
      var end = start
      while end < scalars.count, !(cutsNumbers && scalars[end].kind == .number) { end += 1 }
      split(scalars[start..<end], into: &pieces)
      if end < scalars.count { pieces.append(String(scalars[end])) }
      start = end + 1
    }
    return pieces
  }

  private func split(_ scalars: ArraySlice<Unicode.Scalar>, into pieces: inout [String]) {
    var rest = scalars
    while !rest.isEmpty {
      let length = Self.length(rest)
      var piece = String.UnicodeScalarView()
      piece.append(contentsOf: rest.prefix(length))
      pieces.append(String(piece))
      rest = rest.dropFirst(length)
    }
  }

  /// Scalars of the first piece: at least one.
  private static func length(_ text: ArraySlice<Unicode.Scalar>) -> Int {
    if let contraction = contraction(text) { return contraction }
    let body = text.first == " " ? text.dropFirst() : text
    if let kind = body.first?.kind, kind != .space {
      return text.count - body.count + body.prefix { $0.kind == kind }.count
    }
    // Spaces: the last one belongs to the word that follows.
    let spaces = text.prefix { $0.kind == .space }.count
    return spaces == text.count || spaces == 1 ? spaces : spaces - 1
  }

  private static func contraction(_ text: ArraySlice<Unicode.Scalar>) -> Int? {
    guard text.first == "'" else { return nil }
    let next = text.dropFirst().prefix(2)
    if let first = next.first, ["s", "t", "m", "d"].contains(first) { return 2 }
    return [["r", "e"], ["v", "e"], ["l", "l"]].contains { next.elementsEqual($0) } ? 3 : nil
  }
}

extension Unicode.Scalar {
  fileprivate enum Kind { case letter, number, space, other }

  fileprivate var kind: Kind {
    if properties.isWhitespace { return .space }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }
}
