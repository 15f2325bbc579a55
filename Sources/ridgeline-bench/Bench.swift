import CostModels
import Documents
import EventKernel
import Execution
import Foundation
import ModelGraph
import Serving
import Store
import Workloads

/// Measures Ridgeline's own speed in one run and prints what it measured: `ridgeline-bench [REPORT.md]`, from the
/// repository's root after `swift build -c release`; `ridgeline-bench offloaded` measures replays on platforms alone.
@main
struct Bench {
  static func main() throws {
    if CommandLine.arguments.dropFirst().first == "offloaded" {
      print(text(try offloaded()))
      return
    }
    let deployment = try deployment()
    var rows: [Measurement] = []
    rows.append(try command())
    rows.append(try predictions(deployment))
    rows.append(try stored())
    rows += try sizing()
    rows += steps(deployment)
    rows += try ["azure-conversation", "day-and-night", "chat-sessions"].map(generation)
    for rate in [0.2, 5.5301, 20.0] { rows += try replay(deployment, rate: rate, requests: 1_000_000) }
    rows += try replay(deployment, rate: 20, requests: 10_000_000)
    rows.append(try prefixes(deployment, traffic: "chat-sessions", requests: 500_000))
    rows.append(try cluster(deployment, replicas: 64, rate: 300, requests: 500_000))
    rows += try offloaded()
    let report = text(rows)
    print(report)
    guard let path = CommandLine.arguments.dropFirst().first else { return }
    let file = try OutputFile(path: path)
    try file.write(report)
    try file.finish()
  }

  /// One line of the report.
  struct Measurement {
    let what: String
    let value: String
    /// What was asked for, and which share of it was reached; empty where nothing was.
    var target = ""
  }

  static func deployment() throws -> Deployment {
    let finder = try PlatformFinder(hardwareFolder: "Hardware")
    let platform = try finder.find("h100-sxm")
    let runtime = try Catalogue<RuntimeProfile>(folder: "Hardware/Runtimes").find("vllm-v1")
    let calibrations = try Catalogue<Calibration>(folder: "Hardware/Calibrations").all()
    return try Deployment(
      platform: platform, model: Catalogue<ModelFile>(folder: "Workloads/Models").find("llama-3-8b").model,
      runtime: runtime, formats: FormatRequest(), parallelism: Parallelism(),
      calibration: CalibrationChoice(
        device: platform.device, runtime: runtime.name, from: calibrations, folder: "Hardware/Calibrations"))
  }

  // MARK: Pricing

  /// The whole command on a table of cases: reading, pricing, writing.
  static func command() throws -> Measurement {
    let count = 50_000
    let folder = NSTemporaryDirectory() + "ridgeline-bench-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var text = "device,device_count,runtime,model,input_tokens,output_tokens,batch_size\n"
    var stream = RandomStream(seed: 1, name: "cases")
    let devices = ["h100-sxm", "a100-sxm-80gb", "mi300x"]
    for _ in 0..<count {
      let device = devices[stream.integer(below: devices.count)]
      let tokens = 128 << stream.integer(below: 5)
      text += "\(device),\(1 << stream.integer(below: 3)),vllm-v1,llama-3-8b,\(tokens),\(tokens),"
      text += "\(1 + stream.integer(below: 64))\n"
    }
    try text.write(toFile: folder + "/cases.csv", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("ridgeline")
    process.arguments = ["predict", "--cases", folder + "/cases.csv", "--save", folder + "/priced.csv"]
    process.standardError = FileHandle.nullDevice
    let before = processorTime(Int32(RUSAGE_CHILDREN.rawValue))
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw DataError(file: "ridgeline", problem: "the priced cases failed") }
    return rate(
      "`ridgeline predict --cases`, a CPU-second", count, processorTime(Int32(RUSAGE_CHILDREN.rawValue)) - before,
      "cases")
  }

  static func predictions(_ deployment: Deployment) throws -> Measurement {
    let predictor = Predictor(deployment)
    let count = 50_000
    var sum = 0.0
    let seconds = try measure {
      for index in 0..<count {
        let batch = BatchCase(sequences: 1 + index % 64, inputTokens: 128 + index % 1024, outputTokens: 256)
        sum += try predictor.predict(batch).endToEnd.value
      }
    }
    precondition(sum > 0)
    return rate("predictions in one process, a CPU-second", count, seconds, "predictions")
  }

  /// Rows of a time series into a store, ten thousand a transaction.
  static func stored() throws -> Measurement {
    let (batches, size) = (100, 10_000)
    let path = NSTemporaryDirectory() + "ridgeline-bench-\(ProcessInfo.processInfo.processIdentifier).sqlite"
    defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
    let store = try Store(path: path, .write)
    let origin = Provenance(toolVersion: "", dataHash: "", calibrations: [], host: "", startedAt: "")
    let record = RunRecord(
      uid: "bench", kind: "simulate", name: "bench", headline: "", scenario: "{}", command: "", provenance: origin)
    let run = try store.add([record])[0]
    let seconds = try measure {
      for batch in 0..<batches {
        let rows = (0..<size).map { index in
          SeriesRow(
            time: Double(batch * size + index), waiting: index, running: 30, occupancy: 0.5, replicasUp: 1, power: 500,
            outputTokensPerSecond: 2000)
        }
        try store.append(rows, to: run)
      }
    }
    return rate(
      "rows of seven numbers stored in transactions, a CPU-second", batches * size, seconds, "rows", asked: 500_000)
  }

  /// The step table against pricing every operator anew.
  static func steps(_ deployment: Deployment) -> [Measurement] {
    guard let table = try? StepTable(deployment) else { return [] }
    let shapes = (0..<512).map { index in
      StepShape.decode(sequences: 1 + index % 64, context: 100 + 7 * index, spans: table.spans)
    }
    var sum: Int64 = 0
    for shape in shapes { sum += table.cost(shape).picoseconds }
    let rounds = 200
    let fast = measure { for _ in 0..<rounds { for shape in shapes { sum += table.cost(shape).picoseconds } } }
    var slowSum = 0.0
    let slow = measure { for shape in shapes { slowSum += deployment.price(shape).time.value } }
    precondition(sum > 0 && slowSum > 0)
    let each = fast / Double(rounds * shapes.count)
    let eachSlow = slow / Double(shapes.count)
    return [
      Measurement(what: "one step from the step table", value: "\(Int((each * 1e9).rounded())) ns"),
      Measurement(what: "the same, every operator priced anew", value: "\(Int((eachSlow * 1e9).rounded())) ns"),
      Measurement(what: "ratio", value: "\(Int((eachSlow / each).rounded()))"),
    ]
  }

  // MARK: Traffic

  /// Making up requests, each of which ends when it begins.
  static func generation(_ traffic: String) throws -> Measurement {
    let count = 2_000_000
    let file = try TrafficFile.read(path: "Workloads/Traffic/\(traffic).yaml")
    var source = TrafficGenerator(file, seed: 1, requests: count)
    var made = 0
    let seconds = try measure {
      while let request = try source.next() {
        made += 1
        var ended = request
        while let next = source.followUp(after: ended, endedAt: ended.arrival, completed: true) {
          made += 1
          ended = next
        }
      }
    }
    return Measurement(
      what: "one request of \(traffic) made up", value: "\(Int((seconds / Double(made) * 1e9).rounded())) ns")
  }

  // MARK: Serving

  static func replay(_ deployment: Deployment, rate arrivals: Double, requests: Int) throws -> [Measurement] {
    let file = try TrafficFile.read(path: "Workloads/Traffic/azure-conversation.yaml")
    let traffic = file.scaled(toRate: arrivals) ?? file
    var source: any RequestSource = TrafficGenerator(traffic, seed: 1, requests: requests)
    var engine = try ServingEngine(deployment, limits: ServingLimits(deployment))
    var result: ServingResult?
    let seconds = try measure { result = try engine.run(&source) }
    guard let result else { return [] }
    let label = "replay of \(requests) requests at \(arrivals)/s (utilisation \(Int(result.utilisation * 100)) %), "
    return [
      rate(
        label + "a CPU-second", requests, seconds, "requests", asked: arrivals < 1 ? 2e6 : arrivals >= 20 ? 1e6 : nil),
      rate(label + "a CPU-second", result.metrics.steps, seconds, "iterations"),
      Measurement(what: "resident memory after it, peak", value: "\(peakMemory() / 1_000_000) MB"),
    ]
  }

  /// Prefix cache and metrics by class on.
  static func prefixes(_ deployment: Deployment, traffic: String, requests: Int) throws -> Measurement {
    let file = try TrafficFile.read(path: "Workloads/Traffic/\(traffic).yaml")
    var source: any RequestSource = TrafficGenerator(file, seed: 1, requests: requests)
    var options = ReplicaOptions()
    options.prefixCache = true
    let plan = ClusterPlan(try ReplicaPlan(deployment, limits: ServingLimits(deployment), options: options))
    var engine = try ServingEngine(plan)
    var result: ServingResult?
    let seconds = try measure { result = try engine.run(&source) }
    let hits = Int((result?.hitRate ?? 0) * 100)
    let label = "\(requests) requests of \(traffic), prefix cache (hit rate \(hits) %) and classes"
    return rate(label + ", a CPU-second", requests, seconds, "requests", asked: 400_000)
  }

  /// Many replicas behind a router that looks at all of them.
  static func cluster(
    _ deployment: Deployment, replicas: Int, rate arrivals: Double, requests: Int
  ) throws -> Measurement {
    let file = try TrafficFile.read(path: "Workloads/Traffic/azure-conversation.yaml")
    var source: any RequestSource = TrafficGenerator(
      file.scaled(toRate: arrivals) ?? file, seed: 1, requests: requests)
    var plan = ClusterPlan(try ReplicaPlan(deployment, limits: ServingLimits(deployment)), count: replicas)
    plan.router = LeastOutstanding()
    var engine = try ServingEngine(plan)
    var result: ServingResult?
    let seconds = try measure { result = try engine.run(&source) }
    let busy = Int((result?.utilisation ?? 0) * 100)
    let label =
      "\(requests) requests at \(arrivals)/s to \(replicas) replicas, least outstanding (utilisation \(busy) %)"
    return rate(label + ", a CPU-second", requests, seconds, "requests", asked: 400_000)
  }

  // MARK: Measuring

  static func measure(_ work: () throws -> Void) rethrows -> Double {
    let before = processorTime(Int32(RUSAGE_SELF.rawValue))
    try work()
    return processorTime(Int32(RUSAGE_SELF.rawValue)) - before
  }

  /// User and system time so far, in seconds.
  static func processorTime(_ who: Int32) -> Double {
    var usage = rusage()
    getrusage(who, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  static func peakMemory() -> Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  /// - Parameter asked: What is to be reached in a CPU-second; nothing when nothing is asked.
  static func rate(
    _ what: String, _ count: Int, _ seconds: Double, _ unit: String, asked: Double? = nil
  ) -> Measurement {
    let reached = Double(count) / max(seconds, 1e-9)
    let target = asked.map { "\(Int($0)): \(Int((reached / $0 * 100).rounded())) %" } ?? ""
    return Measurement(what: what, value: "\(Int(reached.rounded())) \(unit)", target: target)
  }

  static func text(_ rows: [Measurement]) -> String {
    var text = """
      # Speed of Ridgeline itself

      Measured by `make bench` with Llama-3-8B on one H100, one core, CPU time. Another machine gives other numbers; the
      ratio between lines of one run is what compares.

      The last column is what was asked for, and the share of it that was reached; memory is to stay under 64 MB for 10 M
      requests. Where a replay near saturation spends its instructions: ending steps and booking their tokens
      22 %, forming steps 16 %, pricing them 14 %, reporting requests with their histograms and intervals 16 %, making up
      the requests 12 %, letting them in 9 %, the event loop the rest. No function takes more than 5 %: a request costs
      about 9,000 instructions, 1.6 steps of its own among them, so that what is left to gain lies in a hundred places.

      | what | measured | asked for |
      | --- | ---: | ---: |

      """
    for row in rows { text += "| \(row.what) | \(row.value) | \(row.target) |\n" }
    return text
  }
}
