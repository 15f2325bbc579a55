import ArgumentParser
import Documents
import Foundation

/// The command: parse, wire, print. Exit code 0 for success, 1 for faulty data, 2 for faulty usage, 130 when interrupted.
@main
struct Ridgeline: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ridgeline",
    abstract: "Predicts what serving a language model costs on hardware you may not own.",
    discussion: """
      Latency of prefill and decode, memory, energy, power and price, from spec \
      sheets, calibrations and a model's config.json; and how a serving engine \
      behaves under real traffic.

        ridgeline predict --model llama-3-8b --hardware h100-sxm \\
            --batch 16 --input 1024 --output 256
        ridgeline simulate --model llama-3-8b --hardware h100-sxm \\
            --traffic azure-conversation
        ridgeline list devices
      """,
    version: "ridgeline \(ToolVersion.text)",
    subcommands: [
      PredictCommand.self, StepCommand.self, PlatformsCommand.self, SimulateCommand.self, CompareCommand.self,
      CapacityCommand.self, StudyCommand.self, SizeCommand.self, RequireCommand.self, EnergyCommand.self,
      AdviseCommand.self, ReportCommand.self, SweepCommand.self, RunsCommand.self, TechniquesCommand.self,
      ClaimsCommand.self, CrossoversCommand.self, CalibrateCommand.self, ValidateCommand.self, HostCommand.self,
      ListCommand.self, ShowCommand.self,
    ])

  static func main() {
    Interrupt.install()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Foundation.exit(Failure.report(error))
    }
  }
}
