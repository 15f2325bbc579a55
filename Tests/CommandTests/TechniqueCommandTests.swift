import Foundation
import Testing

@Suite struct TechniqueCommandTests {
  private let line = "predict --model llama-3-8b --hardware h100-sxm --batch 1 --format csv"

  @Test(arguments: [
    ("--with w4a61", 2, "did you mean 'w4a16'"), ("--with w4a16 --with w8a8", 2, "counted twice"),
    ("--with kv-quant", 2, "needs bits"), ("--with expert-skip:active=1", 2, "no experts"),
    ("--with bit-planes:weights=2,inputs=8", 2, "no int1 arithmetic"),
  ])
  func `techniques that cannot be are refused with one message`(options: String, code: Int32, reason: String) throws {
    let outcome = try Command().run(line + " " + options)
    #expect(outcome.code == code && outcome.output.isEmpty)
    #expect(
      outcome.messages.contains(reason) && outcome.messages.split(separator: "\n").count == 1, "\(outcome.messages)")
  }

  @Test func `a technique shows in the prediction`() throws {
    let plain = try record(Command().run(line).output)
    let narrow = try record(Command().run(line + " --with w4a16:group=64").output)
    #expect(narrow["techniques"] == "w4a16:group=64" && narrow["weights_format"] == "int4-g64")
    let times = try [plain, narrow].map { try #require($0["tpot_s"].flatMap { Double($0) }) }
    #expect(times[1] < 0.6 * times[0])
  }

  @Test func `the page of techniques is what the command writes`() throws {
    let page = try String(
      contentsOf: Command.repository.appendingPathComponent("Documentation/techniques.md"), encoding: .utf8)
    #expect(try Command().run("techniques --format markdown").output == page)
  }

  @Test func `advice ranks techniques and cites their risks`() throws {
    let outcome = try Command().run(
      "advise --model opt-125m --hardware t4 --input 64 --output 32 --objective tpot=50ms --top 3")
    #expect(outcome.code == 0 && outcome.output.contains("(none)") && outcome.output.contains("Quality:"))
    let wrong = try Command().run("advise --model opt-125m --hardware t4 --objective tpt=50ms")
    #expect(wrong.code == 2 && wrong.messages.contains("expected one of ttft, tpot, e2e"))
    let none = try Command().run("advise --model opt-125m --hardware t4 --objective tpot=1us")
    #expect(none.code == 1 && none.messages.contains("within the objectives with any batch"))
  }

  @Test func `a claim is explained, and an unknown one answered with the nearest`() throws {
    let outcome = try Command().run("claims --claim marlin-ideal-a10 --explain")
    #expect(outcome.code == 0 && outcome.output.contains("baseline") && outcome.output.contains("time of one step"))
    let unknown = try Command().run("claims --claim marlin-ideal-a11")
    #expect(unknown.code == 2 && unknown.messages.contains("did you mean 'marlin-ideal-a10'"))
  }
}
