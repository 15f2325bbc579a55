import Documents
import Execution
import Foundation
import Studies

/// The shipped data.
enum Shipped {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  static func library() throws -> Library { try Library(folder: folder) }

  static func runner() throws -> ScenarioRunner { ScenarioRunner(ScenarioBuilder(library: try library())) }
}

/// A small scenario with some lines changed or added.
func scenario(_ lines: String...) throws -> Scenario {
  try ScenarioFile.parse(document(lines), file: "test.yaml")
}

func document(_ lines: [String]) -> String {
  let standard = [
    "name: test", "title: A test", "model: opt-125m", "hardware: t4",
    "traffic: {name: chat-short, rate_per_s: 5}", "horizon: {requests: 300}",
  ]
  let keys = lines.map { $0.prefix { $0 != ":" } }
  return (standard.filter { line in !keys.contains(line.prefix { $0 != ":" }) } + lines).joined(separator: "\n") + "\n"
}

/// What a faulty document is answered.
func fault(_ lines: String...) -> String {
  do {
    _ = try ScenarioFile.parse(document(lines), file: "test.yaml")
    return "no fault"
  } catch {
    return "\(error)"
  }
}

/// A folder for one test.
final class Scratch {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("studies-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}
