import ArgumentParser
import Documents
import Quantities
import Studies

/// Where the requests come from.
struct TrafficOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Recorded traffic to replay.", valueName: "file"))
  var trace: String?

  @Option(help: "Traffic to generate: a name from 'ridgeline list traffic', or a path to a traffic file.")
  var traffic: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Requests to generate, or to read at most.", valueName: "n"))
  var count: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Mean arrivals a second of generated traffic.", valueName: "per-s"))
  var rate: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Factor on a trace's arrival times: 0.5 doubles the load.", valueName: "factor"))
  var timeScale: Double?

  @Option(
    parsing: .unconditional, help: "Seed of all that is drawn by lot, 1 by default: same seed, same requests.")
  var seed: Int?

  /// Replaces what options name in a scenario.
  func apply(to scenario: inout Scenario) throws {
    try applyOrigin(to: &scenario)
    if let count { scenario.traffic.requests = try checked(count, "--count", 1...1_000_000_000) }
    if let rate { scenario.traffic.rate = try checked(rate, "--rate", 1e-6...1e6) }
    if let timeScale { scenario.traffic.timeScale = try checked(timeScale, "--time-scale", 1e-6...1e6) }
    if let seed { scenario.seed = try checked(seed, "--seed", 0...Int.max) }
  }

  private func applyOrigin(to scenario: inout Scenario) throws {
    if trace == "" { throw UsageError("--trace: found an empty text, expected a file") }
    if traffic == "" { throw UsageError("--traffic: found an empty text, expected a name or a file") }
    switch (trace, traffic) {
    case (_?, _?):
      throw UsageError("give either --trace FILE or --traffic NAME, for example --traffic azure-conversation")
    case (let trace?, nil):
      scenario.traffic.origin = .trace(path: trace)
      scenario.traffic.rate = nil
    case (nil, let name?):
      scenario.traffic.origin = .named(Located(name))
      scenario.traffic.timeScale = nil
    case (nil, nil): break
    }
    if case .trace = scenario.traffic.origin {
      guard rate == nil else {
        throw UsageError("--rate is for generated traffic; --time-scale changes a trace's load")
      }
    } else if timeScale != nil {
      throw UsageError("--time-scale is for traces; --rate changes generated traffic")
    }
  }
}
