import Foundation
import Testing

@Suite struct StoreCommandTests {
  private static let sweep = [
    "sweep", "small.yaml", "--vary", "traffic.rate_per_s=1..40:400", "--store", "s.sqlite", "--format", "csv",
  ]
  private static let small = """
    name: small
    title: A small sweep
    model: opt-125m
    hardware: t4
    traffic: {name: chat-short, rate_per_s: 5}
    horizon: {requests: 60}

    """

  private func command() throws -> Command {
    let command = try Command()
    try command.write("small.yaml", Self.small)
    return command
  }

  @Test func aKilledSweepLosesNoRowAndRepeatsNone() throws {
    let whole = try command()
    let expected = try whole.run(Self.sweep)
    #expect(expected.code == 0, "\(expected.messages)")
    #expect(records(expected.output).count == 401)
    let killed = try command()
    for delay in [0.5, 0.9, 1.4] {
      let running = try killed.start(Self.sweep)
      Thread.sleep(forTimeInterval: delay)
      running.kill()
      _ = try running.wait()
    }
    let outcome = try killed.run(Self.sweep)
    #expect(outcome.code == 0, "\(outcome.messages)")
    #expect(outcome.output == expected.output)
    let count = try killed.run([
      "runs", "query", "SELECT count(*), count(DISTINCT point) FROM runs", "--store", "s.sqlite", "--format", "csv",
    ])
    #expect(records(count.output)[1] == ["400", "400"])
    #expect(try killed.run("runs check --store s.sqlite").code == 0)
  }

  @Test func anInterruptedSweepSaysHowToGoOn() throws {
    let command = try command()
    let running = try command.start(Self.sweep)
    Thread.sleep(forTimeInterval: 0.6)
    running.interrupt()
    let outcome = try running.wait()
    if outcome.code == 0 { return }  // It was faster than the interrupt.
    #expect(outcome.code == 130)
    #expect(outcome.messages.contains("the same command goes on from there"))
  }

  @Test func aStoreThatMayNotGrowIsReportedAndKeepsItsRows() throws {
    let command = try command()
    let program = try #require(Command.executable).path
    let words = ([program] + Self.sweep).map { "'\($0)'" }.joined(separator: " ")
    let full = try command.shell("ulimit -f 400; \(words)")
    #expect(full.code == 1)
    #expect(full.messages.hasPrefix("Error: s.sqlite: cannot"), "\(full.messages)")
    #expect(full.messages.contains("is the disk full"))
    let kept = try command.run(["runs", "query", "SELECT count(*) FROM runs", "--store", "s.sqlite", "--format", "csv"])
    let before = try #require(Int(records(kept.output)[1][0]))
    #expect((1..<400).contains(before))
    let outcome = try command.run(Self.sweep)
    #expect(outcome.code == 0 && records(outcome.output).count == 401)
    #expect(outcome.messages.contains("\(400 - before) points run, \(before) were in s.sqlite already"))
  }

  @Test func shardsMergeToTheWholeSweep() throws {
    let command = try command()
    let words = ["sweep", "small.yaml", "--vary", "traffic.rate_per_s=1..40:10", "--format", "csv"]
    let whole = try command.run(words + ["--store", "whole.sqlite"])
    for index in 1...3 {
      let outcome = try command.run(words + ["--shard", "\(index)/3", "--store", "\(index).sqlite"])
      #expect(outcome.code == 0, "\(outcome.messages)")
    }
    let merged = try command.run("runs merge 1.sqlite 2.sqlite 3.sqlite --store all.sqlite")
    #expect(merged.code == 0, "\(merged.messages)")
    let again = try command.run(words + ["--store", "all.sqlite"])
    #expect(again.output == whole.output)
    #expect(again.messages.contains("0 points run, 10 were in all.sqlite already"))
  }

  @Test func aReplayIsKeptAndShown() throws {
    let command = try command()
    let replay = try command.run("simulate small.yaml --store a.sqlite --format csv")
    #expect(replay.code == 0, "\(replay.messages)")
    let p99 = try record(replay.output)["ttft_p99_s"]
    let answer = try command.run([
      "runs", "query",
      "SELECT value, low < value AND value < high AS inside FROM predictions WHERE metric = 'ttft_p99_s'",
      "--store", "a.sqlite", "--format", "csv",
    ])
    let value = try #require(Double(records(answer.output)[1][0]))
    #expect(abs(value / (Double(p99 ?? "") ?? 0) - 1) < 2e-3)
    #expect(try command.run("runs show 1 --store a.sqlite").output.contains("opt-125m"))
    #expect(try command.run("runs export series --run 1 --store a.sqlite").output.hasPrefix("run_id,time_s,waiting"))
  }

  @Test func whatIsStoredIsTheWholeScenario() throws {
    let command = try command()
    let line = "simulate small.yaml --rate 7 --max-num-seqs 9 --ttft 2s --seed 3 --store a.sqlite --format csv"
    let first = try command.run(line)
    let stored = try command.run([
      "runs", "query", "SELECT scenario FROM runs", "--store", "a.sqlite", "--format", "json",
    ])
    let scenario = try #require(objects(stored.output).first?["scenario"] as? String)
    try command.write("small.yaml", scenario)
    let second = try command.run("simulate small.yaml --format csv")
    #expect(second.code == 0 && second.output == first.output, "\(second.messages) \(scenario)")
  }

  @Test func sensitivitiesTellWhatTheHardwareMatters() throws {
    let command = try command()
    let outcome = try command.run("sweep small.yaml --sensitivities --store a.sqlite")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let rows = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let price = rows.first { $0.count >= 3 && $0[0] == "usd_per_million_output_tokens" && $0[1] == "scale.price" }
    #expect(abs((Double(price?[2] ?? "") ?? 0) - 1) < 0.02, "\(outcome.output)")
    let bandwidth = rows.first { $0.count >= 3 && $0[0] == "tpot_p99_s" && $0[1] == "scale.memory_bandwidth" }
    #expect((Double(bandwidth?[2] ?? "") ?? 0) < -0.05, "\(outcome.output)")
  }

  @Test func faultyUseIsRefused() throws {
    let command = try command()
    expectRefusal(try command.run("runs list"), code: 1, ["ridgeline.sqlite: no such store"])
    expectRefusal(try command.run("sweep small.yaml"), code: 1, ["the grid is empty"])
    expectRefusal(
      try command.run("sweep small.yaml --vary parallelism.tensr=1,2"), code: 1,
      ["--vary parallelism.tensr=1,2", "did you mean 'tensor'?"])
    // A typo in the last value of a list shows before the first point runs.
    expectRefusal(
      try command.run("sweep small.yaml --vary hardware=t4,l44"), code: 1,
      ["--vary hardware=t4,l44: unknown device or system 'l44'; did you mean 'l4'?"])
    try command.write(
      "plan.yaml",
      """
      name: plan
      title: A plan with a typo
      scenario: {model: opt-125m, hardware: t4}
      batch: {sequences: 1, input: 10, output: 10, plan: resident}
      vary: [{field: batch.plan, values: [resident, kv-hst]}]

      """)
    expectRefusal(try command.run("sweep plan.yaml"), code: 1, ["plan.yaml:5", "did you mean 'kv-host'?"])
    expectRefusal(try command.run("sweep small.yaml --vary replicas=1 --shard 3/2"), code: 2, ["--shard: found '3/2'"])
    expectRefusal(
      try command.run("sweep small.yaml --vary replicas=1,2,1"), code: 1, ["replicas takes 1 twice"])
    expectRefusal(
      try command.run("sweep small.yaml --vary replicas=1 --subject-to ttft<1 --minimise x"), code: 2, ["--subject-to"])
    try command.write("garbage.sqlite", String(repeating: "garbage ", count: 1000))
    expectRefusal(try command.run("runs list --store garbage.sqlite"), code: 1, ["damaged or no store at all"])
    expectRefusal(
      try command.run("simulate small.yaml --store /proc/x.sqlite"), code: 1, ["cannot be opened or written"])
    #expect(command.files == ["garbage.sqlite", "plan.yaml", "small.yaml"])
  }
}
