/// Recorded conversations: new tokens of each turn and of its answer.
package struct ConversationTable: Sendable, Hashable {
  /// Turns of all conversations, one after another.
  private var turns: ContiguousArray<LengthPairs.Pair> = []
  /// Where each conversation begins, and the end of the last.
  private var bounds: ContiguousArray<Int> = [0]

  package var count: Int { bounds.count - 1 }

  package var turnCount: Int { turns.count }

  package subscript(conversation: Int) -> ContiguousArray<LengthPairs.Pair>.SubSequence {
    turns[bounds[conversation]..<bounds[conversation + 1]]
  }

  mutating func append(_ conversation: some Collection<LengthPairs.Pair>) {
    turns.append(contentsOf: conversation)
    bounds.append(turns.count)
  }
}
