import Documents
import Foundation
import Hardware
import Quantities

/// A dated set of constants for a device, a class or a runtime, with the data behind it.
package struct Calibration: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String] { [] }
  /// What it applies to; nothing means any.
  package var deviceClass: DeviceClass?
  package var device: String?
  package var runtime: String?
  /// Day of the fit, ISO 8601.
  package var date: String
  package var data: String
  package var method: String
  package var error: String
  package var valid: String
  /// The sizes the fit saw; nothing where nothing was fitted.
  package var range: CalibratedRange?
  package var constants: Constants

  /// How closely it is aimed: device before class, runtime before none.
  var specificity: Int { (device != nil ? 4 : deviceClass != nil ? 2 : 0) + (runtime != nil ? 1 : 0) }
}

extension Calibration: CatalogueEntry {
  package static let title = "calibration"

  package static func read(path: String, name: String) throws -> Calibration {
    try parse(YAMLDocument.read(path: path), name: name)
  }

  package static func parse(_ document: Node, name: String) throws -> Calibration {
    try document.strictObject { file in
      let target = try file.required("applies_to").object()
      func prose(_ key: String) throws -> String {
        try file.string(key).trimmingCharacters(in: .whitespacesAndNewlines)
      }
      let calibration = Calibration(
        name: try checkedName(file, name),
        title: try file.string("title"),
        deviceClass: try target.optionalChoice("class", DeviceClass.self),
        device: try target.optionalString("device"),
        runtime: try target.optionalString("runtime"),
        date: try file.string("date"),
        data: try prose("data"),
        method: try prose("method"),
        error: try prose("error"),
        valid: try prose("valid"),
        range: try file.optional("range").map(CalibratedRange.parse),
        constants: try constants(file.required("constants")))
      try target.finish()
      guard calibration.device != nil || calibration.deviceClass != nil else {
        throw target.node.error("names neither a device nor a class")
      }
      return calibration
    }
  }

  private static func constants(_ node: Node) throws -> Constants {
    try node.strictObject { table in
      var constants = Constants()
      for key in ConstantKey.allCases {
        guard let item = table.optional(key.name) else { continue }
        constants[key] =
          key.kind == .time
          ? try item.quantity(TimeDimension.self, allowingZero: true).value : try item.double(in: key.range)
      }
      return constants
    }
  }
}

/// The calibrations that apply to one device under one runtime, merged from general to specific.
package struct CalibrationChoice: Sendable {
  package let constants: Constants
  /// Names of the files used, most general first.
  package let names: [String]

  /// - Throws: ``DataError`` when some constant has no value for this device.
  package init(
    device: Device, runtime: String, from calibrations: [Calibration], folder: String
  ) throws {
    let applicable = calibrations.filter { calibration in
      (calibration.device == nil || calibration.device == device.name)
        && (calibration.deviceClass == nil || calibration.deviceClass == device.deviceClass)
        && (calibration.runtime == nil || calibration.runtime == runtime)
    }.sorted { ($0.specificity, $0.name) < ($1.specificity, $1.name) }
    var merged = Constants()
    for calibration in applicable { merged.override(with: calibration.constants) }
    guard merged.missing.isEmpty else {
      throw DataError(
        file: folder,
        problem: "no calibration gives \(merged.missing.map(\.name).joined(separator: ", ")) for device "
          + "'\(device.name)' of class \(device.deviceClass.rawValue)")
    }
    constants = merged
    names = applicable.map(\.name)
  }
}
