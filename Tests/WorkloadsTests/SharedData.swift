import Foundation

/// Public traces that are not part of the repository: `RIDGELINE_SHARED`, or `../shared` beside the repository.
enum SharedData {
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let root =
    ProcessInfo.processInfo.environment["RIDGELINE_SHARED"]
    ?? repository.deletingLastPathComponent().appendingPathComponent("shared").path

  static func trace(_ name: String) -> String {
    root + "/data/traces/" + name
  }

  static var hasTraces: Bool { FileManager.default.fileExists(atPath: trace("azure_llm_2023_conv.csv")) }

  static let absent = "needs the public traces in ../shared/data/traces (or RIDGELINE_SHARED)"

  /// A traffic file of the repository.
  static func traffic(_ name: String) -> String {
    repository.appendingPathComponent("Workloads/Traffic/\(name).yaml").path
  }
}
