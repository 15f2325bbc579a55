import ArgumentParser
import Documents
import Execution
import Foundation
import Hardware
import Serving
import Studies

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Prints the data file behind a name, or what a policy takes, with sources.",
    discussion: """
        ridgeline show devices h100-sxm
        ridgeline show models meta-llama/Meta-Llama-3-8B
        ridgeline show schedulers sarathi
      """)

  @Argument(help: "One of \(EntryKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var kind: EntryKind

  @Argument(help: "Name or alias.")
  var name: String

  func run() throws {
    if let policies = kind.policies {
      let singular = String(kind.rawValue.dropLast())
      return try standardOutput(PolicyCard.text(PolicyChoice.find(name, kind: singular, among: policies)))
    }
    let library = try Library()
    for path in try files(library) {
      try standardOutput("# \(path)\n" + (try TextFile.document(at: library.folder + "/" + path)))
    }
  }

  private func files(_ library: Library) throws -> [String] {
    switch kind {
    case .devices: ["Hardware/Devices/\(try library.platforms.devices.find(name).name).yaml"]
    case .systems: ["Hardware/Systems/\(try library.platforms.systems.find(name).name).yaml"]
    case .links: ["Hardware/Links/\(try library.platforms.links.find(name).name).yaml"]
    case .runtimes: ["Hardware/Runtimes/\(try library.runtimes.find(name).name).yaml"]
    case .plans: ["Workloads/Plans/\(try library.plans.find(name).name).yaml"]
    case .calibrations: ["Hardware/Calibrations/\(try library.calibration(name).name).yaml"]
    case .traffic: ["Workloads/Traffic/\(try library.traffic().find(name).name).yaml"]
    case .platforms:
      ["Workloads/Scenarios/Platforms/\(try PlatformRunner(library: library).find(name).name).yaml"]
    case .scenarios: ["Workloads/Scenarios/\(try library.scenarios().find(name).name).yaml"]
    case .sites: ["Hardware/Sites/\(try library.sites().find(name).name).yaml"]
    case .models: try modelFiles(library)
    case .schedulers, .routers, .admissions, .evictions, .autoscalers: []
    }
  }

  private func modelFiles(_ library: Library) throws -> [String] {
    let folder = "Workloads/Models/\(try library.models.find(name).name)"
    return ["\(folder)/about.yaml", "\(folder)/config.json"]
  }
}

/// A policy with its parameters, as text.
enum PolicyCard {
  static func text(_ policy: PolicyDescription) -> String {
    var lines = ["name: \(policy.name)", "summary: \(policy.summary)"]
    if !policy.parameters.isEmpty { lines.append("parameters:") }
    for parameter in policy.parameters {
      let standard = parameter.standard.map { "\($0) unless given" } ?? "must be given"
      lines.append("  \(parameter.name): \(parameter.meaning); \(parameter.expected), \(standard)")
    }
    lines.append("source: \(policy.source)")
    return lines.joined(separator: "\n") + "\n"
  }
}
