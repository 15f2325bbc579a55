import Documents

/// Byte-pair encoding with the vocabulary and merges of a GGUF file.
package struct Tokenizer: Sendable {
  private let tokens: [String]
  private let ids: [String: Int32]
  private let merges: [Pair: Merge]
  private let splitter: TextSplitter
  /// Tokens that stand for more than their text, longest first.
  private let special: [(text: String, id: Int32)]
  package let endOfText: Int32?

  private struct Pair: Hashable, Sendable {
    let left: Int32
    let right: Int32
  }

  private struct Merge: Sendable {
    let rank: Int32
    let result: Int32
  }

  package var count: Int { tokens.count }

  /// - Throws: `DataError` for another kind of tokeniser, or tables that do not fit together.
  init(_ file: GGUFFile) throws {
    let kind = try file.text("tokenizer.ggml.model")
    guard kind == "gpt2" else {
      throw file.error("tokenizer.ggml.model", "found \(shown(kind)), expected gpt2 (byte-pair encoding)")
    }
    splitter = try TextSplitter(file)
    let tokens = try file.texts("tokenizer.ggml.tokens")
    self.tokens = tokens
    let ids = Dictionary(tokens.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    self.ids = ids
    merges = try Self.merges(file, ids)
    let types = try file.optionalInts("tokenizer.ggml.token_type") ?? []
    // 3 is a control token, 4 one that a user added.
    special = zip(tokens.indices, types).filter { $1 == 3 || $1 == 4 }.map { (tokens[$0.0], Int32($0.0)) }
      .filter { !$0.text.isEmpty }.sorted { $0.text.utf8.count > $1.text.utf8.count }
    endOfText = try file.optionalInt("tokenizer.ggml.eos_token_id", in: 0...max(0, tokens.count - 1)).map { Int32($0) }
  }

  private static func merges(_ file: GGUFFile, _ ids: [String: Int32]) throws -> [Pair: Merge] {
    var merges: [Pair: Merge] = [:]
    for (rank, line) in try file.texts("tokenizer.ggml.merges").enumerated() {
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2, let left = ids[parts[0]], let right = ids[parts[1]], let result = ids[parts[0] + parts[1]]
      else {
        throw file.error(
          "tokenizer.ggml.merges", "entry \(rank) is \(shown(line)), expected two tokens that make a third")
      }
      let pair = Pair(left: left, right: right)
      if merges[pair] == nil { merges[pair] = Merge(rank: Int32(rank), result: result) }
    }
    return merges
  }

  // MARK: Encoding

  /// Tokens of a text. Special tokens are recognised where their text appears, unless told otherwise.
  package func encode(_ text: String, special recognised: Bool = true) -> [Int32] {
    guard recognised else { return splitter.pieces(text).flatMap(encodePiece) }
    var result: [Int32] = []
    var rest = Substring(text)
    while let (range, id) = firstSpecial(in: rest) {
      result += splitter.pieces(String(rest[..<range.lowerBound])).flatMap(encodePiece)
      result.append(id)
      rest = rest[range.upperBound...]
    }
    return result + splitter.pieces(String(rest)).flatMap(encodePiece)
  }

  /// The special token that comes first; of those at one place, the longest.
  private func firstSpecial(in text: Substring) -> (range: Range<Substring.Index>, id: Int32)? {
    var best: (range: Range<Substring.Index>, id: Int32)?
    for (name, id) in special {
      guard let range = text.firstRange(of: name) else { continue }
      if let known = best, known.range.lowerBound <= range.lowerBound { continue }
      best = (range, id)
    }
    return best
  }

  /// Merges neighbours, lowest rank first and leftmost of equals, until none can be merged.
  private func encodePiece(_ piece: String) -> [Int32] {
    let spelled = piece.utf8.map { String(ByteAlphabet.scalars[Int($0)]) }
    if let whole = ids[spelled.joined()] { return [whole] }
    var parts = spelled.compactMap { ids[$0] }
    while parts.count > 1 {
      var best: (index: Int, merge: Merge)?
      for index in 0..<parts.count - 1 {
        guard let merge = merges[Pair(left: parts[index], right: parts[index + 1])] else { continue }
        if let known = best, known.merge.rank <= merge.rank { continue }
        best = (index, merge)
      }
      guard let (index, merge) = best else { break }
      parts[index] = merge.result
      parts.remove(at: index + 1)
    }
    return parts
  }

  // MARK: Decoding

  /// The text of some tokens; bytes that are not UTF-8 become replacement characters.
  package func decode(_ tokens: [Int32]) -> String {
    let bytes = tokens.flatMap { token -> [UInt8] in
      guard self.tokens.indices.contains(Int(token)) else { return [] }
      let text = self.tokens[Int(token)]
      let spelled = text.unicodeScalars.map { ByteAlphabet.bytes[$0] }
      // Special tokens are spelled as they are.
      return spelled.contains(nil) ? Array(text.utf8) : spelled.compactMap { $0 }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The printable character that stands for each byte in vocabularies of GPT-2's kind.
enum ByteAlphabet {
  static let scalars: [Character] = {
    var next: UInt32 = 256
    return (0..<256).map { byte in
      if (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte) {
        return Character(Unicode.Scalar(UInt8(byte)))
      }
      defer { next += 1 }
      return Unicode.Scalar(next).map { Character($0) } ?? " "
    }
  }()

  static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().flatMap { byte, character in
      character.unicodeScalars.map { ($0, UInt8(byte)) }
    })
}
