import ArgumentParser
import Quantities
import Studies

/// What requests are judged by, and which of them count.
struct JudgementOptions: ParsableArguments {
  @Option(
    name: .customLong("ttft"),
    help: ArgumentHelp("Objective: arrival to first token, for example 500ms.", valueName: "time"))
  var timeToFirstToken: String?

  @Option(name: .customLong("tpot"), help: ArgumentHelp("Objective: mean time between tokens.", valueName: "time"))
  var timePerOutputToken: String?

  @Option(name: .customLong("e2e"), help: ArgumentHelp("Objective: arrival to last token.", valueName: "time"))
  var endToEnd: String?

  @Option(
    help: ArgumentHelp(
      "Leave out requests that arrive sooner than this after the first (60s), or the first so many (1000 requests).",
      valueName: "warm-up"))
  var warmUp: String?

  /// Replaces what options name in a scenario; objectives replace those of the traffic's classes, too.
  func apply(to scenario: inout Scenario) throws {
    scenario.demand.timeToFirstToken = try timeToFirstToken.map { try time($0, "--ttft") }
    scenario.demand.timePerOutputToken = try timePerOutputToken.map { try time($0, "--tpot") }
    scenario.demand.endToEnd = try endToEnd.map { try time($0, "--e2e") }
    if let warmUp { scenario.warmUp = try cut(warmUp) }
  }

  private func cut(_ text: String) throws -> WarmUpSettings {
    let words = text.split(separator: " ").map(String.init)
    if words.count == 2, words[1] == "requests", let count = Int(words[0]) {
      return .requests(try checked(count, "--warm-up", 0...1_000_000_000))
    }
    return .time(try time(text, "--warm-up", least: 0))
  }
}

/// A time from the command line, from a microsecond up to a year.
func time(_ text: String, _ option: String, least: Double = 1e-6) throws -> Seconds {
  guard let time = try? Seconds(parsing: text), (least...31_557_600).contains(time.value) else {
    let range = "\(Seconds(least)) to a year"
    throw UsageError("\(option): found '\(text)', expected a time from \(range) with its unit, for example 500ms")
  }
  return time
}
