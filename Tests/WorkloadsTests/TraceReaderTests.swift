import Documents
import EventKernel
import Foundation
import Quantities
import Testing

@testable import Workloads

@Suite struct TraceReaderTests {
  private let azure = """
    TIMESTAMP,ContextTokens,GeneratedTokens\r
    2023-12-31 23:59:59.6805900,374,44\r
    2024-01-01 00:00:00.1805901,396,109
    """

  @Test func `an Azure trace counts from its first row, to the nanosecond`() throws {
    let requests = try trace(azure)
    #expect(requests.map(\.arrival.nanoseconds) == [0, 500_000_100])
    #expect(requests.map(\.inputTokens) == [374, 396])
    #expect(requests.map(\.outputTokens) == [44, 109])
  }

  @Test func `a plain trace keeps its times, in any order of columns`() throws {
    let requests = try trace("id,output_tokens,arrival_s,input_tokens\na,7,0.25,5\nb,8,1e1,6\n")
    #expect(requests.map(\.arrival.nanoseconds) == [250_000_000, 10_000_000_000])
    #expect(requests.map(\.inputTokens) == [5, 6])
    #expect(requests.map(\.outputTokens) == [7, 8])
  }

  @Test func `a Vidur trace is read as seconds`() throws {
    let requests = try trace("arrived_at,num_prefill_tokens,num_decode_tokens\n0.2550150718187,395,112\n")
    #expect(requests == [Request(arrival: Instant(nanoseconds: 255_015_072), inputTokens: 395, outputTokens: 112)])
  }

  @Test func `a Mooncake trace has streams that fork where prompts part`() throws {
    let text = """
      {"timestamp": 0, "input_length": 513, "output_length": 5, "hash_ids": [0, 1]}

      {"hash_ids":[0,7,8],"output_length":6,"timestamp":30,"input_length":1500}
      {"timestamp": 31, "input_length": 9, "output_length": 1}
      {"timestamp": 32, "input_length": 2000, "output_length": 1, "hash_ids": [0, 1, 2, 3]}
      """
    var source = try TraceReader.open(bytes: Array(text.utf8), file: "trace")
    let forest = try #require(source.forest)
    let requests = try (0..<4).map { _ in try #require(try source.next()) }
    #expect(try source.next() == nil)
    #expect(requests.map(\.arrival.nanoseconds) == [0, 30_000_000, 31_000_000, 32_000_000])
    #expect(requests.map(\.prompt.tokens) == [513, 1500, 0, 2000])
    #expect(requests[2].prompt == .unique)
    #expect(requests[3].prompt.stream == requests[0].prompt.stream)
    #expect(forest.parent(of: requests[0].prompt.stream) == nil)
    let parent = try #require(forest.parent(of: requests[1].prompt.stream))
    #expect(parent == (requests[0].prompt.stream, 512))
    #expect(forest.count == 2)
    for request in requests { #expect(source.followUp(after: request, endedAt: .zero, completed: true) == nil) }
    #expect(forest.count == 0)
  }

  @Test func `an Azure trace of 2024 has offsets from UTC`() throws {
    let requests = try trace(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n"
        + "2024-05-10 02:00:01.009930+02:00,2399,6\n")
    #expect(requests.map(\.arrival.nanoseconds) == [0, 1_000_000_000])
  }

  private let burst = """
    Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
    5,ChatGPT,472,18,490,Conversation log
    45.5,GPT-4,1087,230,1317,API log
    118,ChatGPT,417,276,693,Conversation log
    """

  @Test func `a BurstGPT trace counts from its first row and has a class for every model and log`() throws {
    let source = try TraceReader.open(bytes: Array(burst.utf8), file: "trace")
    #expect(source.classes.map(\.name) == ["ChatGPT, Conversation log", "GPT-4, API log"])
    let requests = try all(source)
    #expect(requests.map(\.arrival.nanoseconds) == [0, 40_500_000_000, 113_000_000_000])
    #expect(requests.map(\.classIndex) == [0, 1, 0])
    #expect(requests.map(\.inputTokens) == [472, 1087, 417])
  }

  @Test func `a log of vLLM counts from its first line and skips what it does not need`() throws {
    let requests = try trace(
      """
      {"request_id": "a\\"b", "input_toks": 10, "output_toks": 3, "arrival_time": 1777142838.338653, "x": [1, {"y": null}]}
      {"arrival_time": 1777142839.338653125, "input_toks": 11, "output_toks": 4, "queued_ts": -1.5e3, "ok": true}
      """)
    #expect(requests.map(\.arrival.nanoseconds) == [0, 1_000_000_125])
    #expect(requests.map(\.inputTokens) == [10, 11] && requests.map(\.outputTokens) == [3, 4])
  }

  @Test func `columns of a plain trace make classes, sessions, adapters, samples and patience`() throws {
    let text = """
      arrival_s,input_tokens,output_tokens,class,tenant,weight,priority,session,adapter,samples,patience_s,timeout_s,ttft_objective_s
      0,5,6,chat,a,2,1,7,3,,1.5,30,0.5
      1,5,6,batch,b,,,,,4,,,
      2,5,6,chat,a,2,1,8,,1,,30,0.5
      3,5,6,chat,a,2,9,8,,1,,30,0.5
      """
    let source = try TraceReader.open(bytes: Array(text.utf8), file: "trace")
    let chat = RequestClass(
      name: "chat", tenant: "a", weight: 2, priority: 1,
      objective: ServiceObjective(timeToFirstToken: Seconds(0.5)), timeout: Seconds(30))
    var urgent = chat
    urgent.name = "chat #2"
    urgent.priority = 9
    #expect(source.classes == [chat, RequestClass(name: "batch", tenant: "b"), urgent])
    let requests = try all(source)
    #expect(requests.map(\.classIndex) == [0, 1, 0, 2])
    #expect(requests.map(\.session) == [7, -1, 8, 8])
    #expect(requests.map(\.adapter) == [3, nil, nil, nil])
    #expect(requests.map(\.samples) == [1, 4, 1, 1])
    #expect(requests.map(\.patience) == [1_500_000_000, nil, nil, nil])
  }

  @Test func `more classes than reports can hold are refused`() {
    let rows = (0...1000).map { "\($0),5,6,class\($0)\n" }.joined()
    let found = message { try trace("arrival_s,input_tokens,output_tokens,class\n" + rows) }
    #expect(found == "trace:1002: brings class 1001, expected at most 1000 combinations of class")
  }

  @Test(arguments: [
    ([0x1F, 0x8B, 8, 0], "is gzip-compressed; run gunzip first"),
    ([0x28, 0xB5, 0x2F, 0xFD], "is zstd-compressed; run unzstd first"),
    ([0xFF, 0xFE, 0x61, 0], "is UTF-16 text, expected UTF-8"),
    ([0x50, 0x4B, 3, 4], "is a zip archive; unpack it first"),
  ])
  func `a file that must be unpacked first is refused with the way to do it`(bytes: [UInt8], problem: String) throws {
    let path = NSTemporaryDirectory() + "trace-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(message { try TraceReader.open(path: path) } == "\(path): \(problem)")
  }

  @Test func `a byte order mark is passed over in every format`() throws {
    for text in [azure, burst, #"{"arrival_time": 5, "input_toks": 1, "output_toks": 1}"#] {
      #expect(try trace("\u{FEFF}" + text) == trace(text))
    }
  }

  @Test func `a time scale stretches arrivals and a limit stops early`() throws {
    let requests = try trace(azure, timeScale: 0.5)
    #expect(requests.map(\.arrival.nanoseconds) == [0, 250_000_050])
    #expect(try trace(azure, limit: 1).count == 1)
  }

  private static let faults: [(text: String, message: String)] = [
    ("", "trace: is empty, expected a CSV header line"),
    ("arrival_s,input_tokens,output_tokens\n", "trace: has a header and no rows, expected at least one request"),
    (
      "arrival_s,input_tokens,output_tokens\n1,5,5\n0.5,5,5\n",
      "trace:3: arrival_s: goes back in time, expected arrivals in order"
    ),
    (
      "arrival_s,input_tokens,output_tokens\n1,5,0\n",
      "trace:2: output_tokens: found 0, expected a whole number from 1 to 100000000"
    ),
    (
      "arrival_s,input_tokens,output_tokens\n1,100000001,1\n",
      "trace:2: input_tokens: found 100000001, expected a whole number from 1 to 100000000"
    ),
    ("arrival_s,input_tokens,output_tokens\nnan,5,5\n", "trace:2: arrival_s: found 'nan', expected a finite number"),
    (
      "arrival_s,input_tokens,output_tokens\n-1,5,5\n",
      "trace:2: arrival_s: found -1, expected a number from 0.0 to 9000000000.0"
    ),
    ("arrival_s,input_tokens,output_tokens\n1,5\n", "trace:2: has 2 fields, expected 3 as in the header"),
    (
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-29 00:00:00.0,5,5\n",
      "trace:2: TIMESTAMP: found '2023-02-29 00:00:00.0', expected a date such as '2023-11-16 18:15:46.6805900'"
    ),
    (
      #"{"timestamp": 5, "input_length": 1, "output_length": 1}"# + "\n"
        + #"{"timestamp": 4, "input_length": 1, "output_length": 1}"#,
      "trace:2: timestamp: goes back in time, expected arrivals in order"
    ),
    (
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n1,ChatGPT,5,0,5,API log\n",
      "trace:2: Response tokens: found 0, a failed request; the release has files 'without_fails'"
    ),
    (
      #"{"arrival_time": 5, "input_toks": 1, "output_toks": 1}"# + "\n"
        + #"{"arrival_time": 4, "input_toks": 1, "output_toks": 1}"#,
      "trace:2: arrival_time: goes back in time, expected arrivals in order"
    ),
    (#"{"arrival_time": 5, "input_toks": 1}"#, "trace:1: 'output_toks' is missing"),
    (
      #"{"arrival_time": "5", "input_toks": 1}"#,
      "trace:1: arrival_time: has '\"' in column 18, expected a number"
    ),
    (#"{"arrival_time": 5, "x": nul}"#, "trace:1: x: has 'n' in column 26, expected a value"),
    (
      #"[{"conversations": []}]"#,
      "trace: is a JSON list, expected one JSON object a line; conversations (ShareGPT) have no arrival times: name "
        + "the file in a traffic file under 'conversations'"
    ),
    (
      "arrival_s,input_tokens,output_tokens,tenant,weight\n0,1,1,a,1\n1,1,1,a,2\n",
      "trace:3: weight: gives tenant 'a' another weight than before, 1.0"
    ),
    (
      "arrival_s,input_tokens,output_tokens,session\n0,1,1,a\n",
      "trace:2: session: found 'a', expected a whole number"
    ),
    (#"{"timestamp": 5, "input_length": 1"#, "trace:1: ends too early, expected '}'"),
    (#"{"timestamp": 5, "input_length": 1}"#, "trace:1: 'output_length' is missing"),
    (#"{"timestamp": 1.5"#, "trace:1: timestamp: found '1.5', expected a whole number"),
    (#"{"timestamp": "5"}"#, "trace:1: timestamp: has '\"' in column 15, expected a whole number"),
    (#"{"timestamp": 5, "timestamp": 5}"#, "trace:1: timestamp: appears twice"),
    (
      #"{"chat_id": 5}"#,
      "trace:1: chat_id: unknown key, expected timestamp, input_length, output_length, hash_ids"
    ),
    (
      #"{"timestamp": 0, "input_length": 513, "output_length": 1, "hash_ids": [4]}"#,
      "trace:1: hash_ids: has 1 blocks for 513 tokens, expected 2 of 512 tokens"
    ),
    (
      #"{"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [4]} 7"#,
      "trace:1: has '7' in column 74, expected the end of the line"
    ),
  ]

  @Test(arguments: faults)
  func `a faulty trace is refused with place, finding and expectation`(fault: (text: String, message: String)) {
    #expect(message { try trace(fault.text) } == fault.message)
  }

  @Test func `an unknown header is refused with the formats understood`() {
    let found = message { try trace("time,tokens\n1,2\n") }
    #expect(found.hasPrefix("trace:1: is no known trace: the first line is 'time,tokens', expected 'TIMESTAMP,"))
    #expect(found.contains("arrival_s,input_tokens,output_tokens") && found.contains("Mooncake"))
  }

  @Test func `bytes that are not text are refused`() {
    let header = Array("arrival_s,input_tokens,output_tokens\n".utf8)
    for bytes in [[0xFF, 0x2C, 0x31, 0x2C, 0x31], [0x31, 0, 0x2C, 0x31, 0x2C, 0x31]] as [[UInt8]] {
      let found = message { try all(TraceReader.open(bytes: header + bytes, file: "trace")) }
      #expect(found.contains("UTF-8") || found.contains("NUL"))
    }
    #expect(
      message { try all(TraceReader.open(bytes: Array("{\"".utf8) + [0xFF, 0x22], file: "t")) }.contains("UTF-8"))
  }

  @Test func `a missing file is refused`() {
    #expect(message { try TraceReader.open(path: "/nonexistent/trace.csv") } == "/nonexistent/trace.csv: no such file")
  }

  @Test(.enabled(if: SharedData.hasTraces, Comment(rawValue: SharedData.absent)))
  func `the public traces are read whole`() throws {
    let conversation = try all(TraceReader.open(path: SharedData.trace("azure_llm_2023_conv.csv")))
    #expect(conversation.count == 19_366 && isSorted(conversation))
    #expect(conversation.last?.arrival.nanoseconds == 3_501_721_937_000)
    #expect(conversation.map(\.inputTokens).reduce(0, +) == 22_361_870)
    let code = try all(TraceReader.open(path: SharedData.trace("azure_llm_2023_code.csv")))
    #expect(code.count == 8819 && isSorted(code))
    let derived = try all(TraceReader.open(path: SharedData.trace("azure_conv_poisson4_1000.csv")))
    #expect(derived.count == 1000 && isSorted(derived))
    let mooncake = try TraceReader.open(path: SharedData.trace("mooncake_conversation.jsonl"))
    let requests = try all(mooncake)
    #expect(requests.count == 12_031 && isSorted(requests))
    #expect(requests.allSatisfy { Int($0.prompt.tokens) == $0.inputTokens })
  }
}
