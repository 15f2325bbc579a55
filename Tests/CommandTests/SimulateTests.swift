import Foundation
import Testing

@Suite struct SimulateTests {
  private static let columns: [String] = {
    let facts = [
      "model", "hardware", "devices", "runtime", "traffic", "requests", "completed", "rejected", "unfinished",
      "duration_s", "requests_per_s", "input_tokens_per_s", "output_tokens_per_s", "utilisation", "steps",
      "mean_batch", "peak_waiting", "kv_blocks", "kv_occupancy_mean", "kv_occupancy_peak", "preemptions", "energy_j",
      "energy_per_output_token_j", "power_w", "usd_per_million_output_tokens",
    ]
    let statistics = ["count", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "max_s"]
    return facts + ["queue", "ttft", "tpot", "itl", "e2e"].flatMap { name in statistics.map { "\(name)_\($0)" } }
  }()
  private let line = "simulate --model opt-125m --hardware h100-sxm --traffic chat-short --count 300"

  @Test func `CSV has the stable columns and the requests add up`() throws {
    let outcome = try Command().run(line + " --format csv")
    #expect(outcome.code == 0 && outcome.messages.isEmpty)
    #expect(records(outcome.output)[0] == Self.columns)
    let row = try record(outcome.output)
    func count(_ name: String) throws -> Int { try #require(row[name].flatMap { Int($0) }) }
    #expect(try count("requests") == 300)
    #expect(try count("completed") + count("rejected") + count("unfinished") == 300)
    #expect(try count("e2e_count") == count("completed"))
  }

  @Test func `JSON holds the same record as CSV`() throws {
    let command = try Command()
    let csv = try record(command.run(line + " --format csv").output)
    let json = try objects(command.run(line + " --format json").output)
    #expect(json.count == 1 && Set(json[0].keys) == Set(csv.keys))
    for (name, value) in json[0] {
      if let number = value as? NSNumber { #expect(agrees(csv[name], number), "\(name)") }
    }
  }

  @Test func `a table for people has facts and latencies`() throws {
    let outcome = try Command().run(line)
    #expect(outcome.code == 0 && outcome.messages.isEmpty)
    for part in ["requests", "utilisation", "latency", "TTFT", "TPOT", "end to end"] {
      #expect(outcome.output.contains(part), "\(part)")
    }
  }

  @Test func `the same seed gives the same bytes and another seed others`() throws {
    let command = try Command()
    let outputs = try [(1, "a"), (1, "b"), (2, "c")].map { seed, file in
      try command.run(line + " --format csv --seed \(seed) --requests \(file).csv").output
    }
    #expect(outputs[0] == outputs[1] && outputs[0] != outputs[2])
    #expect(try command.read("a.csv") == command.read("b.csv"))
    #expect(try command.read("a.csv") != command.read("c.csv"))
    #expect(try command.run(line + " --format csv").output == outputs[0], "the seed is 1 unless given")
  }

  @Test func `the per-request file has a row for every request, and outcomes add up`() throws {
    let command = try Command()
    let outcome = try command.run(line + " --max-model-len 400 --format csv --requests r.csv")
    #expect(outcome.code == 0 && outcome.messages.hasSuffix("wrote 300 requests to r.csv\n"))
    #expect(outcome.messages.contains("of 300 requests are longer than 400 tokens (--max-model-len)"))
    let row = try record(outcome.output)
    let lines = records(try command.read("r.csv"))
    #expect(
      lines[0] == [
        "request", "outcome", "input_tokens", "output_tokens", "arrival_s", "queue_s", "ttft_s", "tpot_s", "e2e_s",
        "preemptions",
      ])
    let requests = lines.dropFirst()
    #expect(Set(requests.compactMap { Int($0[0]) }) == Set(0..<300) && requests.count == 300)
    let completed = requests.filter { $0[1] == "completed" }
    let rejected = requests.filter { $0[1] == "rejected" }
    #expect(String(completed.count) == row["completed"] && String(rejected.count) == row["rejected"])
    #expect(!completed.isEmpty && !rejected.isEmpty && completed.count + rejected.count == 300)
    #expect(rejected.allSatisfy { $0[5...8] == ["", "", "", ""] })
    for request in completed {
      let times = try request[5...8].filter { !$0.isEmpty }.map { try #require(Double($0)) }
      #expect(times.allSatisfy { $0 >= 0 } && times[0] <= times[1] && times[1] <= times[times.count - 1])
    }
  }

  @Test func `a trace is replayed request by request`() throws {
    let command = try Command()
    try command.write("t.csv", "arrival_s,input_tokens,output_tokens\n0,5,5\n1,100000,5\n2,5,1\n")
    let outcome = try command.run(
      "simulate --model opt-125m --hardware h100-sxm --trace t.csv --requests r.csv --format csv")
    #expect(outcome.code == 0)
    let row = try record(outcome.output)
    #expect(row["requests"] == "3" && row["completed"] == "2" && row["rejected"] == "1" && row["traffic"] == "t.csv")
    #expect(records(try command.read("r.csv")).dropFirst().map { $0[4] } == ["0.0", "1.0", "2.0"])
    let squeezed = try command.run(
      "simulate --model opt-125m --hardware h100-sxm --trace t.csv --time-scale 0.5 --count 2 --requests s.csv")
    #expect(squeezed.code == 0)
    #expect(records(try command.read("s.csv")).dropFirst().map { $0[4] } == ["0.0", "0.5"])
  }

  @Test func `an interrupt ends a long run with a partial summary and keeps the per-request file`() throws {
    let command = try Command()
    let running = try command.start(
      (line.replacing("300", with: "5000000") + " --format csv --requests r.csv").split(separator: " ").map(String.init)
    )
    let partial = command.folder.appendingPathComponent("r.csv.partial").path
    func written() -> Int {
      ((try? FileManager.default.attributesOfItem(atPath: partial))?[.size] as? NSNumber)?.intValue ?? 0
    }
    while running.isRunning, written() == 0 { Thread.sleep(forTimeInterval: 0.02) }
    running.interrupt()
    let outcome = try running.wait()
    #expect(outcome.code == 130, "\(outcome.messages)")
    #expect(outcome.messages.contains("interrupted"))
    let row = try record(outcome.output)
    let requests = try #require(row["requests"].flatMap { Int($0) })
    #expect(requests > 0 && requests < 5_000_000)
    #expect(records(try command.read("r.csv")).count == requests + 1)
    #expect(command.files == ["r.csv"])
  }

  @Test func `an interrupt ends a long table of cases and keeps what is priced`() throws {
    let command = try Command()
    let row = "h100-sxm,1,vllm-v1,opt-125m,16,4,2\n"
    try command.write(
      "c.csv",
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size\n"
        + String(repeating: row, count: 300_000))
    let running = try command.start(["predict", "--cases", "c.csv", "--save", "out.csv"])
    while running.isRunning, !command.files.contains("out.csv.partial") { Thread.sleep(forTimeInterval: 0.02) }
    running.interrupt()
    let outcome = try running.wait()
    #expect(outcome.code == 130, "\(outcome.messages)")
    #expect(outcome.messages.contains("which are kept"))
    let lines = records(try command.read("out.csv"))
    #expect(lines.count > 1000 && lines.count < 300_001)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(command.files == ["c.csv", "out.csv"])
  }
}

@Suite struct ListTests {
  @Test(arguments: [
    "devices", "systems", "links", "models", "runtimes", "calibrations", "traffic", "scenarios", "schedulers",
    "routers",
    "admissions", "evictions", "autoscalers",
  ])
  func `every list has as many rows in each format, and names that show finds`(kind: String) throws {
    let command = try Command()
    let json = try objects(command.run("list \(kind) --format json").output)
    let names = json.compactMap { $0["name"] as? String }
    #expect(!names.isEmpty && names.count == json.count && names == names.sorted())
    let text = try command.run("list \(kind)")
    #expect(text.output.hasSuffix("\n\(names.count) \(kind)\n") && text.messages.isEmpty)
    let shown = try command.run("show \(kind) \(names[0])")
    #expect(shown.code == 0 && shown.output.contains("name: \(names[0])"))
  }
}
