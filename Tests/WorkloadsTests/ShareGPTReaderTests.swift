import Testing

@testable import Workloads

@Suite struct ShareGPTReaderTests {
  private func read(_ text: String) throws -> [[LengthPairs.Pair]] {
    let table = try ShareGPTReader.read(bytes: Array(text.utf8), file: "chats.json")
    return (0..<table.count).map { Array(table[$0]) }
  }

  @Test func `turns have the tokens of what is new, a quarter of the characters or as many as are named`() throws {
    let text = #"""
      [{"id": "a", "conversations": [
          {"from": "system", "value": "12345"}, {"from": "human", "value": "\u00e9\ud83d\ude00é\n"},
          {"from": "gpt", "value": "12345678"}, {"from": "human", "value": "x", "tokens": 40},
          {"from": "gpt", "tokens": 50}, {"from": "human", "value": "no answer"}]},
       {"conversations": [{"from": "gpt", "value": "nobody asked"}, {"from": "user", "value": "why"}]},
       {"x": {"y": [1, -2.5e1, true, null]}, "conversations": [
          {"from": "human", "value": "abcd"}, {"from": "gpt", "value": ""}, {"from": "bing", "value": "e"}]}]
      """#
    #expect(
      try read(text) == [
        [.init(input: 3, output: 2), .init(input: 40, output: 50)], [.init(input: 1, output: 1)],
      ])
  }

  @Test(arguments: [
    (#"{"a": 1}"#, "chats.json:1: is no list of conversations (ShareGPT's JSON)"),
    (
      #"[{"prompt": "x"}]"#,
      "chats.json:1: has an item without 'conversations', expected ShareGPT's [{\"conversations\": [...]}, ...]"
    ),
    (
      "[\n5]",
      "chats.json:2: has an item without 'conversations', expected ShareGPT's [{\"conversations\": [...]}, ...]"
    ),
    ("[]", "chats.json:1: has no conversation with an answer"),
    (#"[{"conversations": [{"value": "x"}]}]"#, "chats.json:1: conversations: 'from' is missing in a message"),
    (#"[{"conversations": [{"from": "gpt"}]}]"#, "chats.json:1: conversations: 'value' is missing in a message"),
    (
      #"[{"conversations": [{"from": "cat", "value": ""}]}]"#,
      "chats.json:1: from: found 'cat', expected one of assistant, "
        + "bard, bing, chatgpt, function, gpt, human, model, system, tool, user"
    ),
    (#"[{"conversations": []"#, "chats.json:1: ends too early, expected '}'"),
    (#"[{"conversations": []}] x"#, "chats.json:1: goes on after the end of the list"),
  ])
  func `what is no ShareGPT file is refused`(text: String, problem: String) {
    #expect(message { try read(text) } == problem)
  }
}
