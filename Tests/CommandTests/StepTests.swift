import Foundation
import Testing

/// Plans, scheduled steps and platforms from the command line.
@Suite struct StepTests {
  private static let step = "step --model llama-3-8b --hardware gaming-pc --plan kv-host --context 50000"

  @Test func `a step is told in words and in columns`() throws {
    let told = try Command().run(Self.step)
    #expect(told.code == 0)
    #expect(told.output.contains("The step waits for: gpu-cpu pcie-4"))
    #expect(told.output.contains("Buy more of: gpu-cpu pcie-4 bandwidth"))
    let table = try Command().run(Self.step + " --quick --format csv").output
    #expect(table.hasPrefix("resource,kind,busy_s,exposed_s,overlapped_s,moved_b,utilisation\n"))
    #expect(try Command().run(Self.step + " --quick --format csv").output == table)
  }

  @Test func `a step is drawn for people and for Perfetto`() throws {
    let command = try Command()
    #expect(try command.run(Self.step + " --quick --timeline step.svg --format csv").code == 0)
    #expect(try command.run(Self.step + " --quick --timeline step.json --format csv").code == 0)
    let drawing = try String(contentsOf: command.folder.appendingPathComponent("step.svg"), encoding: .utf8)
    #expect(drawing.contains("critical path") && drawing.contains("gpu copies in"))
    let trace = try Data(contentsOf: command.folder.appendingPathComponent("step.json"))
    let events = try #require(JSONSerialization.jsonObject(with: trace) as? [String: Any])["traceEvents"] as? [Any]
    #expect(try #require(events).count > 100)
  }

  @Test func `the fastest plan is found and the others are accounted for`() throws {
    let found = try Command().run(
      "predict --model opt-30b --hardware gaming-pc --batch 8 --input 512 --output 32 --plan auto")
    #expect(found.code == 0)
    let lines = found.messages.split(separator: "\n").filter { $0.hasPrefix("Plan ") }
    #expect(lines.count { $0.hasSuffix(": chosen") } == 1)
    #expect(lines.contains { $0.hasPrefix("Plan resident: weights, activations and buffers do not fit on gpu") })
    #expect(lines.contains { $0.hasPrefix("Plan attention-csd: the plan needs a computational drive") })
  }

  @Test(arguments: [
    (
      "step --model llama-3-8b --hardware gaming-pc --plan kv-hots", "unknown plan 'kv-hots'; did you mean 'kv-host'?",
      2
    ),
    ("step --model llama-3-8b --hardware h100-sxm --plan kv-host", "and h100-sxm has none", 2),
    ("step --model llama-3-8b --hardware gaming-pc --timeline step.png", "--timeline: found 'step.png'", 2),
    ("predict --model llama-3-8b --hardware hgx-h100 --plan kv-host --pp 2", "--pp and --dp must be 1", 2),
    ("predict --model llama-3-8b --hardware h100-sxm --board-power 20", "--board-power: found '20'", 2),
    ("predict --model llama-3-8b --hardware h100-sxm --board-power 90W", "is not above the", 2),
    ("simulate --model llama-3-8b --hardware gaming-pc --plan auto --traffic steady", "--plan auto is for predict", 2),
    ("platforms fidler", "unknown platform 'fidler'; did you mean 'fiddler'?", 2),
  ])
  func `a plan that cannot be is one message`(line: String, part: String, code: Int) throws {
    let outcome = try Command().run(line)
    #expect(outcome.code == Int32(code))
    #expect(outcome.messages.contains(part), "\(outcome.messages)")
    #expect(outcome.output.isEmpty)
  }

  @Test(arguments: [
    ("kv: {home: host, heads: 2}\n", "p.yaml:4: kv: 'source' is missing"),
    ("weights: {hom: host}\n", "weights.hom: unknown key; did you mean 'home'?"),
    ("weights: {home: host, resident: most}\n", "expected 'auto' or a share from 0 to 1"),
    ("stages: [{at: gpu, layers: auto}, {at: cpu, layers: 3}]\n", "gives some stages their layers"),
    ("experts: {home: host, fetch: never}\n", "found 'never', expected one of on-demand, all"),
  ])
  func `a faulty plan file is one message`(block: String, part: String) throws {
    let command = try Command()
    try command.write("p.yaml", "name: p\ntitle: p\nsources: {a: b}\n" + block)
    let outcome = try command.run("step --model llama-3-8b --hardware gaming-pc --plan p.yaml")
    #expect(outcome.code == 1)
    #expect(outcome.messages.contains(part), "\(outcome.messages)")
  }

  @Test func `a platform's figures stand beside what was published`() throws {
    let table = try Command().run("platforms headinfer-4090 --format csv")
    #expect(table.code == 0)
    #expect(table.output.hasPrefix("platform,case,plan,figure,to,predicted,published,ratio,source,note\n"))
    let row = try #require(table.output.split(separator: "\n").first { $0.contains(",100k,") }).split(separator: ",")
    let ratio = try #require(Double(row[6]))
    #expect(abs(ratio - 1) < 0.05)
  }

  @Test func `a replica may have a plan`() throws {
    let outcome = try Command().run(
      "simulate --model llama-3-8b --hardware gaming-pc --plan kv-host --traffic steady --count 20 --format csv")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let plain = try Command().run(
      "simulate --model llama-3-8b --hardware gaming-pc --traffic steady --count 20 --format csv")
    #expect(outcome.output != plain.output)
  }
}
