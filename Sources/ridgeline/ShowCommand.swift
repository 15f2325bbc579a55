import ArgumentParser
import Documents
import Execution
import Foundation
import Hardware

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Prints the data file behind a name, sources included.",
    discussion: """
        ridgeline show devices h100-sxm
        ridgeline show models meta-llama/Meta-Llama-3-8B
      """)

  @Argument(help: "One of \(EntryKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var kind: EntryKind

  @Argument(help: "Name or alias.")
  var name: String

  func run() throws {
    let library = try Library()
    let paths: [String] =
      switch kind {
      case .devices: ["Hardware/Devices/\(try library.platforms.devices.find(name).name).yaml"]
      case .systems: ["Hardware/Systems/\(try library.platforms.systems.find(name).name).yaml"]
      case .links: ["Hardware/Links/\(try library.platforms.links.find(name).name).yaml"]
      case .runtimes: ["Hardware/Runtimes/\(try library.runtimes.find(name).name).yaml"]
      case .calibrations: ["Hardware/Calibrations/\(try library.calibration(name).name).yaml"]
      case .traffic: ["Workloads/Traffic/\(try library.traffic().find(name).name).yaml"]
      case .models: try modelFiles(library)
      }
    for path in paths {
      try standardOutput("# \(path)\n" + (try TextFile.document(at: library.folder + "/" + path)))
    }
  }

  private func modelFiles(_ library: Library) throws -> [String] {
    let folder = "Workloads/Models/\(try library.models.find(name).name)"
    return ["\(folder)/about.yaml", "\(folder)/config.json"]
  }
}
