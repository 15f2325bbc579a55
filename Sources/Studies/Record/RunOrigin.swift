import Documents
import Execution
import Foundation
import Store

/// What every run of one command has in common: the program, its data, the machine, and the words it was called with.
package struct RunOrigin: Sendable {
  /// Of all files that predictions rest on.
  package let dataHash: String
  /// Hash of each calibration file by its name.
  private let calibrationHashes: [String: String]
  package let host: String
  package let command: String
  package let startedAt: String

  /// - Parameter command: The arguments of the program.
  /// - Throws: `DataError` for data that cannot be read.
  package init(_ library: Library, command: [String], now: Date = Date()) throws {
    dataHash = try Fingerprint.ofFiles(
      below: ["/Hardware", "/Workloads/Models", "/Workloads/Traffic"].map { library.folder + $0 }
    ).text
    var hashes: [String: String] = [:]
    for calibration in library.calibrations {
      hashes[calibration.name] = try Fingerprint.ofFile(library.calibrationFolder + "/\(calibration.name).yaml")
    }
    calibrationHashes = hashes
    host = Self.machine
    self.command = command.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    startedAt = now.formatted(.iso8601)
  }

  /// - Parameter calibrations: Names of those in use.
  package func provenance(_ calibrations: [String]) -> Provenance {
    Provenance(
      toolVersion: ToolVersion.text, dataHash: dataHash,
      calibrations: calibrations.map { ($0, calibrationHashes[$0] ?? "unknown") }, host: host, startedAt: startedAt)
  }

  private static var machine: String {
    let process = ProcessInfo.processInfo
    return "\(process.hostName), \(process.activeProcessorCount) cores, \(process.operatingSystemVersionString)"
  }
}

extension Fingerprint {
  fileprivate static func ofFile(_ path: String) throws -> String {
    var print = Fingerprint()
    print.add(try TextFile.bytes(at: path))
    return print.text
  }
}
