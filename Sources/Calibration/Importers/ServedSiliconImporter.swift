import Execution
import Workloads

/// Reads the silicon sample as its client served it: a closed loop that begins with all clients at once and sends ten
/// requests for each, prompts and answers between 80 and 100 % of the lengths stated.
///
/// That is the public procedure of the benchmark that most rows come from (`benchmark_serving.py` with
/// `--random-range-ratio 0.8`, `--num-prompts` ten times `--max-concurrency`, rate infinite); the file does not name it.
/// Nor does it name the format of the cache: checkpoints in FP8 and FP4 ask for one in FP8, and rows whose cache would not
/// fit otherwise show it.
enum ServedSiliconImporter {
  private static let requestsPerClient = 10
  private static let shortest = 0.8

  static func read(path: String) throws -> [MeasuredRun] {
    try SiliconImporter.read(path: path).map { run in
      var run = run
      run.load = .served(ServedRun(loop(run)))
      if let weights = run.formats.weights, weights.bits < 16 { run.formats.kv = .fp8 }
      return run
    }
  }

  /// What one of the data-parallel ranks serves.
  private static func loop(_ run: MeasuredRun) -> ServedRun.Requests {
    let ranks = run.parallelism?.data ?? 1
    let clients = (run.batch.sequences + ranks - 1) / ranks
    let pace = ArrivalProcess.ClosedLoop(users: clients, rampSeconds: 0, thinkTime: .fixed(seconds: 0))
    let lengths = TrafficClass.DrawnLengths(
      input: spread(run.batch.inputTokens), output: spread(run.batch.outputTokens))
    let count = clients * requestsPerClient
    let traffic = Traffic(
      name: "closed loop", arrivals: ArrivalProcess(gaps: .exponential, pace: .closed(pace)),
      class: TrafficClass(lengths: .drawn(lengths)), requests: count)
    return .traffic(traffic, count: count)
  }

  private static func spread(_ tokens: Int) -> LengthDistribution {
    .uniform(max(1, Int(Double(tokens) * shortest))...max(1, tokens))
  }
}
