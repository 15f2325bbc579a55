import Documents
import Foundation
import Testing

@testable import CostModels
@testable import Hardware

/// The hardware files of the repository.
enum Shipped {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Hardware").path

  /// Names of the files of one kind.
  static func names(_ kind: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind)")) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  static func devices() throws -> Catalogue<Device> { try Catalogue(folder: folder + "/Devices") }
  static func links() throws -> Catalogue<Link> { try Catalogue(folder: folder + "/Links") }
  static func systems() throws -> Catalogue<System> { try Catalogue(folder: folder + "/Systems") }
  static func runtimes() throws -> Catalogue<RuntimeProfile> { try Catalogue(folder: folder + "/Runtimes") }
  static func calibrations() throws -> Catalogue<Calibration> { try Catalogue(folder: folder + "/Calibrations") }
  static func finder() throws -> PlatformFinder { try PlatformFinder(hardwareFolder: folder) }

  static func device(_ name: String) throws -> Device { try devices().find(name) }
}

/// The one message something is refused with; `accepted` when it is not.
func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "accepted"
  } catch let error as DataError {
    return error.description
  } catch let error as UnknownName {
    return error.description
  } catch {
    return "unexpected \(type(of: error)): \(error)"
  }
}

/// Names and aliases that stand for more than one thing, compared without case.
func ambiguous(_ entries: [(name: String, aliases: [String])]) -> [String] {
  var owner: [String: String] = [:]
  var found: [String] = []
  for entry in entries {
    for spelling in [entry.name] + entry.aliases {
      let key = spelling.lowercased()
      if let other = owner[key], other != entry.name { found.append("\(spelling): \(other), \(entry.name)") }
      owner[key] = entry.name
    }
  }
  return found
}

/// A small sound device file, pieces of which a test replaces.
struct DeviceText {
  var name = "test-gpu"
  var kind = "gpu"
  var deviceClass = "tensor-core-gpu"
  var compute = """
    compute:
      - engine: tensor-cores
        type: matrix
        units: 100
        unit: SM
        peaks:
          - {input: bf16, accumulator: fp32, rate: 100 TFLOP/s}
        source: sheet
    """
  var memories = """
    memories:
      - {name: hbm, level: main, capacity: 80 GB, bandwidth: 2 TB/s, source: sheet}
    """
  var power = "power: {idle: 50 W, cap: 400 W, source: sheet}"
  var more = ""

  var text: String {
    """
    name: \(name)
    title: Test
    vendor: Us
    kind: \(kind)
    class: \(deviceClass)
    released: 2024
    sources: {sheet: "made up for this test"}
    \(compute)
    \(memories)
    \(power)
    \(more)
    """
  }

  func read() throws -> Device {
    try Device.parse(YAMLDocument.parse(text, file: "test-gpu.yaml"), name: "test-gpu")
  }

  /// The message the file is refused with after one text is replaced by another.
  func fault(_ old: String = "", _ new: String = "") -> String {
    message {
      let changed = old.isEmpty ? text : text.replacing(old, with: new)
      guard old.isEmpty || changed != text else { throw DataError(file: "test", problem: "'\(old)' is not there") }
      return try Device.parse(YAMLDocument.parse(changed, file: "test-gpu.yaml"), name: "test-gpu")
    }
  }
}
