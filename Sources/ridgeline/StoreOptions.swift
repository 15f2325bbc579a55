import ArgumentParser
import Documents
import Foundation
import Store
import Studies

/// Which store is read or written.
struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The store; default: \(Store.standardPath), or what the environment variable RIDGELINE_STORE names.",
      valueName: "file"))
  var store: String?

  var path: String { store ?? ProcessInfo.processInfo.environment["RIDGELINE_STORE"] ?? Store.standardPath }

  func open(_ access: Store.Access) throws -> Store { try Store(path: path, access) }
}

/// The arguments this program was called with, without its own path.
func calledWith() -> [String] { ["ridgeline"] + CommandLine.arguments.dropFirst() }

/// Prints a table in one of the three formats.
func printTable(_ table: ResultTableOutput, _ format: OutputFormat) throws {
  switch format {
  case .table: try standardOutput(table.text)
  case .csv: try standardOutput(table.csv)
  case .json: try standardOutput(table.json)
  }
}
