import Foundation
import Testing

@testable import Reporting

@Suite struct PerfettoTraceTests {
  private final class Bytes {
    var all: [UInt8] = []
    var chunks = 0
    var text: String { String(decoding: all, as: UTF8.self) }
  }

  private struct SinkFull: Error {}

  private func record(_ content: (inout PerfettoTrace) throws -> Void) throws -> Bytes {
    let bytes = Bytes()
    var trace = PerfettoTrace {
      bytes.all += $0
      bytes.chunks += 1
    }
    try content(&trace)
    try trace.finish()
    return bytes
  }

  private func events(_ bytes: Bytes) throws -> [[String: Any]] {
    let file = try #require(JSONSerialization.jsonObject(with: Data(bytes.all)) as? [String: Any])
    return try #require(file["traceEvents"] as? [[String: Any]])
  }

  private let track = PerfettoTrace.Track(process: 1, thread: 2)

  @Test func `a trace without events is a whole file`() throws { #expect(try events(record { _ in }).isEmpty) }

  @Test func `every kind of event has the fields of the format`() throws {
    let bytes = try record { trace in
      try trace.nameProcess(1, "replica \"0\"")
      try trace.nameThread(track, "prefill")
      try trace.sortProcess(1, at: 3)
      try trace.sortThread(track, at: 4)
      try trace.complete("step", on: track, from: 1_234_567, lasting: 89, ["tokens": .int(7), "share": .number(0.5)])
      try trace.instant("preempted", on: track, at: 5)
      try trace.counter("queue", process: 1, at: 1000, ["waiting": .int(3), "running": .int(9)])
      try trace.beginAsync("request", category: "r", id: 17, on: track, at: 0, ["class": .text("chat")])
      try trace.endAsync("request", category: "r", id: 17, on: track, at: 20)
      try trace.beginFlow("KV", category: "kv", id: 5, on: track, at: 1_234_570)
      try trace.endFlow("KV", category: "kv", id: 5, on: track, at: 1_234_580)
    }
    let events = try events(bytes)
    #expect(events.map { $0["ph"] as? String } == ["M", "M", "M", "M", "X", "i", "C", "b", "e", "s", "f"])
    #expect(events.allSatisfy { $0["pid"] as? Int == 1 && $0["name"] is String && $0["tid"] is Int })
    #expect((events[0]["args"] as? [String: Any])?["name"] as? String == "replica \"0\"")
    #expect((events[4]["ts"] as? NSNumber)?.doubleValue == 1234.567)
    #expect((events[4]["dur"] as? NSNumber)?.doubleValue == 0.089)
    #expect((events[4]["args"] as? [String: Any])?["tokens"] as? Int == 7)
    #expect((events[6]["args"] as? [String: Any])?["running"] as? Int == 9)
    for event in events[7...] { #expect(event["id"] is Int && event["cat"] is String) }
    #expect(events[10]["bp"] as? String == "e")
  }

  @Test(
    arguments: [
      (0, "0.000"), (1, "0.001"), (999, "0.999"), (1000, "1.000"), (-1, "-0.001"), (-1_000_500, "-1000.500"),
      (Int64.max, "9223372036854775.807"), (Int64.min, "-9223372036854775.808"),
    ] as [(Int64, String)])
  func `times keep every nanosecond`(nanoseconds: Int64, text: String) throws {
    let bytes = try record { try $0.instant("e", on: track, at: nanoseconds) }
    #expect(bytes.text.contains("\"ts\":\(text),"))
  }

  @Test(arguments: ["a\"b\\c", "\u{0}\n\t", "é 漢 🙂", "</script>"]) func `any name survives`(name: String) throws {
    let bytes = try record { try $0.complete(name, on: track, from: 0, lasting: 0, [name: .text(name)]) }
    let event = try #require(try events(bytes).first)
    #expect(event["name"] as? String == name && (event["args"] as? [String: String]) == [name: name])
  }

  @Test func `a number that JSON has no word for is null`() throws {
    let bytes = try record { try $0.counter("c", process: 1, at: 0, ["a": .number(.nan), "b": .number(-.infinity)]) }
    #expect((try events(bytes)[0]["args"] as? [String: Any])?.values.allSatisfy { $0 is NSNull } == true)
  }

  @Test func `a long trace goes out in chunks and the same calls give the same bytes`() throws {
    func run() throws -> Bytes {
      try record { trace in
        for index in 0..<10_000 {
          try trace.complete("step", on: track, from: Int64(index) * 10, lasting: 10, ["batch": .int(index % 7)])
        }
      }
    }
    let (first, second) = (try run(), try run())
    #expect(first.chunks > 5 && first.all == second.all)
    #expect(try events(first).count == 10_000)
  }

  @Test func `a trace finished early is whole, and nothing follows its end`() throws {
    let bytes = Bytes()
    var trace = PerfettoTrace { bytes.all += $0 }
    try trace.complete("step", on: track, from: 0, lasting: 1)
    try trace.finish()
    try trace.complete("late", on: track, from: 0, lasting: 1)
    try trace.finish()
    #expect(try events(bytes).count == 1)
  }

  @Test func `what the sink throws comes out`() throws {
    var trace = PerfettoTrace { _ in throw SinkFull() }
    try trace.instant("e", on: track, at: 0)
    #expect(throws: SinkFull.self) { try trace.finish() }
  }
}
