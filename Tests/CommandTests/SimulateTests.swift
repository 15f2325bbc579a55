import Foundation
import Testing

@Suite struct SimulateTests {
  private static let columns: [String] = {
    let facts = [
      "model", "hardware", "devices", "runtime", "traffic", "class", "tenant", "requests", "completed", "rejected",
      "timed_out", "cancelled", "failed", "unfinished", "duration_s", "saturated", "requests_per_s",
      "input_tokens_per_s",
      "output_tokens_per_s", "goodput_requests_per_s", "goodput_output_tokens_per_s", "objectives_met", "ttft_met",
      "tpot_met", "e2e_met", "replicas", "replica_seconds", "utilisation", "steps", "mean_batch",
      "pipeline_bubble_share", "peak_waiting",
      "replica_starts", "replica_stops", "replica_failures", "role_flips", "retries", "transfers", "transferred_b",
      "kv_blocks", "kv_occupancy_mean", "kv_occupancy_peak", "prefix_hit_rate", "preemptions", "swaps_out", "swaps_in",
      "adapter_loads", "tenant_demand_tokens", "tenant_service_tokens", "service_jain_index", "service_max_min_ratio",
      "fluidity_index_mean", "deadline_miss_rate_p99", "fluid_requests", "fluid_tokens_per_s", "energy_j",
      "energy_per_output_token_j", "power_w", "usd_per_million_output_tokens",
    ]
    let statistics = ["count", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "max_s"]
    let intervals = ["mean", "p50", "p90", "p99"].flatMap { ["\($0)_s_lo", "\($0)_s_hi"] } + ["warm_up_requests"]
    return facts
      + ["queue", "ttft", "tpot", "itl", "e2e"].flatMap { name in
        (statistics + (name == "itl" ? [] : intervals)).map { "\(name)_\($0)" }
      }
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
        "preemptions", "class", "tenant", "replica", "hit_tokens", "generated_tokens", "retries", "met_objectives",
        "fluidity_index", "fluid_tokens_per_s",
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

  @Test func `classes have a row each that adds up to the first, and requests name theirs`() throws {
    let command = try Command()
    func kind(_ name: String, _ share: Int, _ objective: String) -> String {
      "  - {name: \(name), tenant: \(name)-corp, share: \(share), objectives: {ttft: \(objective), source: s}, source: s,"
        + " input_tokens: {distribution: fixed, tokens: 200, source: s},"
        + " output_tokens: {distribution: fixed, tokens: 40, source: s}}\n"
    }
    try command.write(
      "two.yaml",
      "name: two\ntitle: Two\nsources: {s: \"chosen for this test\"}\nrequests: 200\n"
        + "arrivals: {process: poisson, rate_per_s: 20, source: s}\nclasses:\n" + kind("fast", 3, "1 us")
        + kind("slow", 1, "1 min"))
    let outcome = try command.run(
      "simulate --model opt-125m --hardware h100-sxm --traffic two.yaml --format csv --requests r.csv --fluidity")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let lines = records(outcome.output)
    let rows = lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    #expect(rows.map { $0["class"] } == ["all", "fast", "slow"] && rows[1]["tenant"] == "fast-corp")
    for name in ["requests", "completed", "e2e_count"] {
      let counts = rows.compactMap { $0[name].flatMap { Int($0) } }
      #expect(counts.count == 3 && counts[0] == counts[1] + counts[2], "\(name)")
    }
    #expect(rows.map { $0["ttft_met"] }.dropFirst() == ["0.0", "1.0"] && rows[1]["e2e_met"] == "")
    #expect(rows[1]["steps"] == "" && rows[0]["service_jain_index"].flatMap { Double($0) }.map { $0 < 1 } == true)
    let requests = records(try command.read("r.csv"))
    let columns = Dictionary(uniqueKeysWithValues: requests[0].enumerated().map { ($1, $0) })
    for request in requests.dropFirst() {
      let isSlow = request[columns["class"]!] == "slow"
      #expect(request[columns["met_objectives"]!] == (isSlow ? "yes" : "no"))
      #expect(request[columns["generated_tokens"]!] == "40" && request[columns["replica"]!] == "0")
      #expect(Double(request[columns["fluidity_index"]!]).map { (0...1).contains($0) } == true)
    }
  }

  @Test func `a timeline is JSON with the steps and requests of its window, and a series has a row an interval`() throws
  {
    let command = try Command()
    let outcome = try command.run(
      line + " --series s.csv --series-interval 2s --timeline t.json --timeline-window 5s-8s --format csv")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let samples = records(try command.read("s.csv"))
    #expect(
      samples[0] == [
        "time_s", "waiting", "running", "kv_occupancy", "power_w", "output_tokens_per_s", "replicas_up",
      ])
    let times = samples.dropFirst().compactMap { Double($0[0]) }
    #expect(zip(times, times.dropFirst()).allSatisfy { abs($1 - $0 - 2) < 1e-6 })
    let duration = try #require(record(outcome.output)["duration_s"].flatMap { Double($0) })
    #expect(times.count == Int(duration / 2) + 1)
    let trace = try #require(
      JSONSerialization.jsonObject(with: Data(try command.read("t.json").utf8)) as? [String: Any])
    let events = try #require(trace["traceEvents"] as? [[String: Any]])
    let steps = events.filter { $0["ph"] as? String == "X" }
    #expect(!steps.isEmpty && events.contains { $0["name"] as? String == "queued" })
    for step in steps {
      let (start, length) = (step["ts"] as? Double ?? -1, step["dur"] as? Double ?? -1)
      #expect(start < 8e6 && start + length > 5e6)
    }
    let (begun, ended) = (events.count { $0["ph"] as? String == "b" }, events.count { $0["ph"] as? String == "e" })
    #expect(begun > 0 && begun == ended)
  }

  @Test func `a run that cannot keep up says so`() throws {
    let outcome = try Command().run(
      "simulate --model llama-3-70b --hardware dgx-a100 --tp 8 --traffic azure-conversation --rate 200 --count 1500"
        + " --format csv")
    #expect(outcome.code == 0 && outcome.messages.contains("saturated"), "\(outcome.messages)")
    #expect(try record(outcome.output)["saturated"] == "yes")
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
