import ArgumentParser
import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import ReferenceEngine
import Serving
import Studies
import Techniques

/// A command line that cannot mean anything: a value out of range, options that exclude each other.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The run was stopped from the keyboard; what was done is kept.
struct Interrupted: Error, CustomStringConvertible {
  let description: String
}

/// Words and exit codes for everything that can go wrong.
enum Failure {
  static let data: Int32 = 1
  static let usage: Int32 = 2
  static let interrupted: Int32 = 130

  /// Prints one clear message to stderr (help goes to stdout) and returns the exit code.
  static func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as DataError: return say(error.description, data)
    case let error as PredictionError: return say(error.description, data)
    case let error as ServingError:
      switch error {
      case .budget, .powerCap: return say(error.description, usage)
      default: break
      }
      return say(error.description, data)
    case let error as EngineError: return say(error.description, data)
    case let error as UsageError: return say(error.description, usage)
    case let error as ScenarioError: return say(error.description, usage)
    case let error as ClusterPlanError: return say(error.description, usage)
    case let error as PolicyError: return say(error.description, usage)
    case let error as TechniqueError: return say(error.description, usage)
    case let error as UnknownName: return say(error.description, usage)
    case let error as Interrupted: return say(error.description, interrupted)
    case is CleanExit:
      print(Ridgeline.fullMessage(for: error))
      return 0
    default: break
    }
    if isPlanFault(error) { return say("\(error)", usage) }
    let code = Ridgeline.exitCode(for: error)
    let message = Ridgeline.fullMessage(for: error)
    if code == .success {
      print(message)
      return 0
    }
    standardError(message)
    return usage
  }

  /// Whether an error says that a plan does not suit its model or platform.
  static func isPlanFault(_ error: any Error) -> Bool {
    error is PlanError || error is TechniqueError || error is DeploymentError || error is UnsupportedFormat
      || error is TooManyWindows
      || error is UnsuitableDevice
      || error is ReplayError || error is MachineError || error is PlacementError
  }

  private static func say(_ message: String, _ code: Int32) -> Int32 {
    standardError("Error: " + message)
    return code
  }
}

/// Writes a line to stderr.
func standardError(_ line: String) {
  // A closed stderr is no reason to stop.
  try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
}

/// Writes text to stdout as it is.
/// - Throws: `DataError` when stdout is closed or full.
func standardOutput(_ text: String) throws {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  } catch {
    throw DataError(file: "stdout", problem: "cannot be written to the end (is the disk full?)")
  }
}
