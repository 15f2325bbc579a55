import ArgumentParser
import Quantities
import Serving
import Studies

/// What a replay is measured by, and what it writes beside its summary.
struct MeasureOptions: ParsableArguments {
  @Flag(help: "Follow every token: fluidity index and fluid token rate.")
  var fluidity = false

  @Option(
    help: ArgumentHelp(
      "First token's deadline for --fluidity: a time, or unloaded+TIME after the prompt's time on an empty replica.",
      valueName: "time"))
  var firstDeadline = "100ms"

  @Option(help: ArgumentHelp("Time between tokens for --fluidity.", valueName: "time"))
  var tokenDeadline = "50ms"

  @Option(help: ArgumentHelp("Write the cluster's state over time.", valueName: "file.csv"))
  var series: String?

  @Option(help: ArgumentHelp("Time between two rows of --series.", valueName: "time"))
  var seriesInterval = "1s"

  @Option(
    help: ArgumentHelp(
      """
      Write steps and requests as a timeline that ui.perfetto.dev opens. At most a million events, about 150 MB: choose \
      a window of long runs.
      """, valueName: "file.json"))
  var timeline: String?

  @Option(
    help: ArgumentHelp("Part of the run in --timeline, as from-to since its start: 60s-90s.", valueName: "window"))
  var timelineWindow: String?

  /// - Throws: ``UsageError`` naming the option and what was found.
  func measurement(of scenario: Scenario) throws -> MeasurementOptions {
    var options = scenario.measurement
    if fluidity {
      var deadlines = FluidityOptions()
      deadlines.firstToken = try first(firstDeadline)
      deadlines.between = try time(tokenDeadline, "--token-deadline")
      options.fluidity = deadlines
    }
    return options
  }

  /// Time between two samples.
  func sampleInterval() throws -> Seconds { try time(seriesInterval, "--series-interval") }

  /// The part of the run that the timeline shows, in nanoseconds.
  func timelineRange() throws -> Range<Int64> {
    guard let text = timelineWindow else { return 0..<Int64.max }
    let ends = text.split(separator: "-", maxSplits: 1).map(String.init)
    guard ends.count == 2 else {
      throw UsageError("--timeline-window: found '\(text)', expected two times, for example 60s-90s")
    }
    let (from, to) = (try time(ends[0], "--timeline-window", least: 0), try time(ends[1], "--timeline-window"))
    guard from < to else {
      throw UsageError("--timeline-window: found '\(text)', expected the end after the beginning")
    }
    return Int64(from.value * 1e9)..<Int64(to.value * 1e9)
  }

  private func first(_ text: String) throws -> FluidityOptions.FirstToken {
    let prefix = "unloaded+"
    guard text.hasPrefix(prefix) else { return .fixed(try time(text, "--first-deadline")) }
    return .unloaded(slack: try time(String(text.dropFirst(prefix.count)), "--first-deadline", least: 0))
  }
}
