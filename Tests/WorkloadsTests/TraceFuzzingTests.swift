import Documents
import EventKernel
import Testing

@testable import Workloads

/// Bounded fuzzing: whatever the bytes, a trace is read or refused with a `DataError`.
@Suite struct TraceFuzzingTests {
  private static let valid = [
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.99,396,109",
    "arrival_s,input_tokens,output_tokens\n0.25,395,112\n\"1.5\",1,1\n",
    "arrived_at,num_prefill_tokens,num_decode_tokens\n0.25,395,112\n9e8,2,3\n",
    "{\"timestamp\": 0, \"input_length\": 513, \"output_length\": 5, \"hash_ids\": [0, 1]}\n"
      + "{\"timestamp\": 9, \"input_length\": 1, \"output_length\": 5, \"hash_ids\": []}\n",
    "{\"request_id\": \"a\", \"input_toks\": 3, \"output_toks\": 4, \"arrival_time\": 1777142838.338653, \"x\": [1.5]}\n"
      + "{\"input_toks\": 3, \"output_toks\": 4, \"arrival_time\": 1777142839, \"y\": {\"z\": null}}\n",
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n",
    "arrival_s,input_tokens,output_tokens,class,tenant,weight,priority,session,adapter,samples,patience_s,timeout_s\n"
      + "0.25,395,112,chat,a,2,1,7,3,2,1.5,30\n1,1,1,,,,,,,,,\n",
  ].map { Array($0.utf8) }

  /// Bytes that mean something to some reader, so that mutations get past the first check.
  private static let telling = Array("{}[]\":,.-+eE09\n\r \\".utf8) + [0, 0xEF, 0xBB, 0xBF, 0xFF]

  private func outcome(_ bytes: [UInt8]) -> String? {
    do {
      let requests = try all(TraceReader.open(bytes: bytes, file: "fuzz"))
      return isSorted(requests) && requests.allSatisfy { $0.inputTokens > 0 && $0.outputTokens > 0 } ? nil : "bad"
    } catch let error as DataError {
      return error.description.contains("\n") ? "more than one line: \(error)" : nil
    } catch {
      return "\(error)"
    }
  }

  @Test func `random bytes are refused and never crash`() {
    var stream = RandomStream(seed: 1, name: "fuzz.random")
    for _ in 0..<2000 {
      let bytes = (0..<stream.integer(below: 200)).map { _ in
        stream.uniform() < 0.5
          ? UInt8(stream.integer(below: 256)) : Self.telling[stream.integer(below: Self.telling.count)]
      }
      #expect(outcome(bytes) == nil, "\(bytes)")
    }
  }

  @Test(arguments: valid.indices)
  func `mutated traces are read or refused and never crash`(index: Int) {
    var stream = RandomStream(seed: UInt64(index), name: "fuzz.mutated")
    for _ in 0..<2500 {
      var bytes = Self.valid[index]
      for _ in 0...stream.integer(below: 4) { mutate(&bytes, &stream) }
      #expect(outcome(bytes) == nil, "\(bytes)")
    }
  }

  @Test(arguments: valid)
  func `a trace cut anywhere is read or refused`(bytes: [UInt8]) {
    for end in 0...bytes.count { #expect(outcome(Array(bytes[..<end])) == nil) }
  }

  private static let conversations =
    Array(
      #"[{"id": "x\u00e9", "conversations": [{"from": "human", "value": "Hi\n"}, {"from": "gpt", "tokens": 7}]}, "#.utf8
    )
    + Array(#"{"conversations": [], "more": [1, {"a": -1.5e3}, true, null]}]"#.utf8)

  @Test func `mutated and cut conversations are read or refused and never crash`() {
    func outcome(_ bytes: [UInt8]) -> String? {
      do {
        return try ShareGPTReader.read(bytes: bytes, file: "fuzz").count > 0 ? nil : "empty"
      } catch let error as DataError {
        return error.description.contains("\n") ? "more than one line: \(error)" : nil
      } catch {
        return "\(error)"
      }
    }
    var stream = RandomStream(seed: 3, name: "fuzz.conversations")
    for end in 0...Self.conversations.count { #expect(outcome(Array(Self.conversations[..<end])) == nil) }
    for _ in 0..<4000 {
      var bytes = Self.conversations
      for _ in 0...stream.integer(below: 4) { mutate(&bytes, &stream) }
      #expect(outcome(bytes) == nil, "\(bytes)")
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ stream: inout RandomStream) {
    guard !bytes.isEmpty else { return }
    let place = stream.integer(below: bytes.count)
    switch stream.integer(below: 5) {
    case 0: bytes[place] = UInt8(stream.integer(below: 256))
    case 1: bytes[place] = Self.telling[stream.integer(below: Self.telling.count)]
    case 2: bytes.remove(at: place)
    case 3: bytes.insert(Self.telling[stream.integer(below: Self.telling.count)], at: place)
    default:
      let end = min(bytes.count, place + 1 + stream.integer(below: 20))
      bytes.insert(contentsOf: bytes[place..<end], at: stream.integer(below: bytes.count))
    }
  }
}
