import Documents

/// Reads recorded conversations in ShareGPT's JSON: a list of objects with `conversations`, a list of messages.
///
/// ```json
/// [{"id": "x", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!"}]}]
/// ```
///
/// A message's tokens are its `tokens` where it has them, otherwise its characters / 4, rounded up: the texts are not
/// tokenised. What comes before an answer is one turn's new tokens; messages after the last answer, and conversations
/// without one, are left out. The texts are passed over, so a file may be larger than memory.
package enum ShareGPTReader {
  private static let charactersPerToken = 4
  private static let mostTurns = 50_000_000

  package static func read(path: String) throws -> ConversationTable {
    try read(JSONByteReader(source: ByteSource(path: path), file: path))
  }

  package static func read(bytes: [UInt8], file: String) throws -> ConversationTable {
    try read(JSONByteReader(source: ByteSource(bytes: bytes), file: file))
  }

  private static func read(_ reader: JSONByteReader) throws -> ConversationTable {
    var reader = reader
    var table = ConversationTable()
    guard reader.peek() == UInt8(ascii: "[") else {
      throw reader.error("is no list of conversations (ShareGPT's JSON)")
    }
    try reader.list { reader in
      let turns = try conversation(&reader)
      if !turns.isEmpty { table.append(turns) }
      guard table.turnCount <= mostTurns else { throw reader.error("has more than \(mostTurns) turns") }
    }
    guard reader.peek() == nil else { throw reader.error("goes on after the end of the list") }
    guard table.count > 0 else { throw reader.error("has no conversation with an answer") }
    return table
  }

  private static func conversation(_ reader: inout JSONByteReader) throws -> [LengthPairs.Pair] {
    var turns: [LengthPairs.Pair]?
    guard reader.peek() == UInt8(ascii: "{") else { throw notShareGPT(reader) }
    try reader.object { key, reader in
      guard key == "conversations" else { return try reader.skipValue() }
      guard turns == nil else { throw reader.error("appears twice", field: key) }
      turns = try Self.turns(&reader)
    }
    guard let turns else { throw notShareGPT(reader) }
    return turns
  }

  private static func notShareGPT(_ reader: JSONByteReader) -> DataError {
    reader.error("has an item without 'conversations', expected ShareGPT's [{\"conversations\": [...]}, ...]")
  }

  private static func turns(_ reader: inout JSONByteReader) throws -> [LengthPairs.Pair] {
    var turns: [LengthPairs.Pair] = []
    var waiting = 0
    try reader.list { reader in
      let message = try message(&reader)
      if message.role == .input {
        waiting = min(waiting + message.tokens, Request.largestTokens)
      } else if waiting > 0, message.tokens > 0 {
        turns.append(LengthPairs.Pair(input: Int32(waiting), output: Int32(message.tokens)))
        waiting = 0
      }
    }
    return turns
  }

  // MARK: Messages

  private enum Role { case input, answer }

  private static let roles: [String: Role] = [
    "human": .input, "user": .input, "system": .input, "tool": .input, "function": .input, "gpt": .answer,
    "assistant": .answer, "chatgpt": .answer, "model": .answer, "bing": .answer, "bard": .answer,
  ]

  private static func message(_ reader: inout JSONByteReader) throws -> (role: Role, tokens: Int) {
    var role: Role?
    var characters: Int?
    var tokens: Int?
    try reader.object { key, reader in
      switch key {
      case "from": role = try self.role(&reader)
      case "value": characters = try reader.characters()
      case "tokens": tokens = try reader.int()
      default: try reader.skipValue()
      }
    }
    guard let role else { throw reader.error("'from' is missing in a message", field: "conversations") }
    guard tokens != nil || characters != nil else {
      throw reader.error("'value' is missing in a message", field: "conversations")
    }
    let estimate = ((characters ?? 0) + charactersPerToken - 1) / charactersPerToken
    return (role, min(tokens ?? estimate, Request.largestTokens))
  }

  private static func role(_ reader: inout JSONByteReader) throws -> Role {
    let name = try reader.string()
    guard let role = roles[name] else {
      throw reader.error(
        "found \(shown(name)), expected one of \(roles.keys.sorted().joined(separator: ", "))", field: "from")
    }
    return role
  }
}
