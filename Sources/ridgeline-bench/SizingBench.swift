import Documents
import Foundation

/// How long `ridgeline size` takes to answer for eight kinds of GPU and three models.
extension Bench {
  static func sizing() throws -> [Measurement] {
    let process = Process()
    process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("ridgeline")
    process.arguments = [
      "size", "--model", "llama-3.1-70b,qwen3-32b,mixtral-8x7b", "--hardware",
      "h100-sxm,h200-sxm,b200-sxm,mi300x,l40s,a100-sxm-80gb,gb200,h20", "--traffic", "azure-conversation", "--rate",
      "50",
      "--ttft", "2s@p99", "--tpot", "60ms@p95",
    ]
    let messages = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = messages
    let (start, before) = (ContinuousClock.now, processorTime(Int32(RUSAGE_CHILDREN.rawValue)))
    try process.run()
    let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw DataError(file: "ridgeline size", problem: text) }
    let wall = start.duration(to: .now)
    let seconds = Double(wall.components.seconds) + Double(wall.components.attoseconds) / 1e18
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return try [
      candidates(text), answer(seconds, cores), spent(processorTime(Int32(RUSAGE_CHILDREN.rawValue)) - before),
    ]
  }

  /// From the line `searched N candidates in T, R a second; ...`.
  private static func candidates(_ text: String) throws -> Measurement {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard let place = words.firstIndex(of: "a"), place > 0,
      let rate = Double(words[place - 1].filter { $0 != "," })
    else { throw DataError(file: "ridgeline size", problem: "does not say how fast it searched") }
    return Measurement(
      what: "candidate deployments of `ridgeline size` in closed form, a second", value: "\(Int(rate)) candidates",
      target: "10000: \(Int((rate / 100).rounded())) %")
  }

  private static func answer(_ seconds: Double, _ cores: Int) -> Measurement {
    Measurement(
      what: "its whole answer for 8 kinds of GPU and 3 models on \(cores) cores",
      value: "\(Int(seconds.rounded())) s", target: "60 s: \(seconds <= 60 ? "reached" : "missed")")
  }

  private static func spent(_ seconds: Double) -> Measurement {
    Measurement(what: "the same, CPU time", value: "\(Int(seconds.rounded())) s")
  }
}
