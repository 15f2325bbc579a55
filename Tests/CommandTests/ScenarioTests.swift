import Foundation
import Testing

@Suite struct ScenarioTests {
  @Test func `a scenario and the same options give the same bytes`() throws {
    let command = try Command()
    try command.write(
      "mine.yaml",
      """
      name: mine
      title: A test
      model: opt-125m
      hardware: t4
      scheduler: {name: sarathi, chunk: 256}
      replicas: 2
      traffic: {name: chat-short, rate_per_s: 9}
      horizon: {requests: 200}
      seed: 4
      """)
    let file = try command.run("simulate mine.yaml --format csv")
    let options = try command.run(
      "simulate --model opt-125m --hardware t4 --scheduler sarathi:chunk=256 --replicas 2 --traffic chat-short "
        + "--rate 9 --count 200 --seed 4 --format csv")
    #expect(file.code == 0 && file.output == options.output, "\(file.messages)")
    let replaced = try command.run("simulate mine.yaml --scheduler fcfs --seed 5 --format csv")
    #expect(replaced.code == 0 && replaced.output != file.output)
  }

  @Test func `a faulty scenario is one message with its line, and leaves nothing behind`() throws {
    let command = try Command()
    try command.write("bad.yaml", "name: bad\ntitle: Bad\nmodel: opt-125m\nhardwear: t4\n")
    expectRefusal(
      try command.run("simulate bad.yaml --requests out.csv"), code: 1,
      ["bad.yaml:4: hardwear: unknown key; did you mean 'hardware'?"])
    expectRefusal(try command.run("simulate none.yaml"), code: 1, ["none.yaml: no such file"])
    #expect(command.files == ["bad.yaml"])
  }

  @Test func `traffic without requests is refused`() throws {
    let command = try Command()
    try command.write("empty.csv", "arrival_s,input_tokens,output_tokens\n")
    let line = "--model opt-125m --hardware t4 --trace empty.csv"
    for name in ["simulate", "capacity"] {
      let outcome = try command.run("\(name) \(line)")
      #expect(outcome.code == 1 && outcome.messages.contains("empty.csv"), "\(outcome.messages)")
    }
  }

  @Test func `compare says which differences are told from chance`() throws {
    let outcome = try Command().run(
      "compare chat-fcfs chat-sarathi --model opt-125m --hardware t4 --count 1000 --rate 20 --replications 4 --format csv"
    )
    #expect(outcome.code == 0, "\(outcome.messages)")
    let rows = records(outcome.output)
    let told = try #require(rows[0].firstIndex(of: "told_from_chance"))
    #expect(rows.dropFirst().contains { $0[told] == "yes" })
    let text = try Command().run(
      "compare chat-fcfs chat-fcfs --model opt-125m --hardware t4 --count 300 --replications 2")
    #expect(
      text.output.contains("P99 TTFT") && !text.output.split(separator: "\n").dropFirst().contains { $0.contains("*") })
  }

  @Test func `capacity states its bracket, and a goal that no rate meets`() throws {
    let line = "capacity --model opt-125m --hardware t4 --traffic chat-short --count 300 --tolerance 0.2"
    let found = try Command().run(line + " --e2e 5s")
    #expect(found.code == 0 && found.output.contains("the goal is missed at"), "\(found.messages)")
    let never = try Command().run(line + " --ttft 1us")
    #expect(never.code == 0 && never.output.contains("none: the goal is missed even at"))
  }

  @Test func `platforms and models are compared side by side`() throws {
    let line = "compare chat-fcfs --across hardware=t4,l4 --across model=opt-125m,opt-350m"
    let outcome = try Command().run(line + " --count 200 --replications 2 --format csv")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let names = Set(records(outcome.output).dropFirst().map { $0[1] })
    #expect(names == ["t4 opt-125m", "t4 opt-350m", "l4 opt-125m", "l4 opt-350m"])
    let refused = try Command().run("compare chat-fcfs --across hardwear=t4,l4")
    expectRefusal(refused, code: 1, ["--across hardwear=t4,l4", "did you mean 'hardware'?"])
  }
}
