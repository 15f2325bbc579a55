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
  /// Maker of the devices; software differs more between makers than hardware of one class does.
  package var vendor: String?
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
  /// How far measurements may lie from what these constants predict.
  package var interval: PredictionInterval?
  package var constants: Constants
  /// The processor whose core its host times belong to; nothing where they belong to no one in particular.
  package var host: String?

  /// How closely it is aimed: device before class, one maker before all, runtime before none.
  var specificity: Int {
    (device != nil ? 8 : deviceClass != nil ? 4 : 0) + (vendor != nil ? 2 : 0) + (runtime != nil ? 1 : 0)
  }

  /// Whether it speaks of a device under a runtime.
  package func applies(to other: Device, runtime name: String) -> Bool {
    (device == nil || device == other.name) && (deviceClass == nil || deviceClass == other.deviceClass)
      && (vendor == nil || vendor == other.vendor) && (runtime == nil || runtime == name)
  }
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
        vendor: try target.optionalString("vendor"),
        device: try target.optionalString("device"),
        runtime: try target.optionalString("runtime"),
        date: try file.string("date"),
        data: try prose("data"),
        method: try prose("method"),
        error: try prose("error"),
        valid: try prose("valid"),
        range: try file.optional("range").map(CalibratedRange.parse),
        interval: try file.optional("interval").map(PredictionInterval.parse),
        constants: try constants(file.required("constants"), file.optional("kernels").map(KernelTable.parse)),
        host: try file.optionalString("host"))
      try target.finish()
      guard calibration.device != nil || calibration.deviceClass != nil else {
        throw target.node.error("names neither a device nor a class")
      }
      return calibration
    }
  }

  private static func constants(_ node: Node, _ kernels: KernelTable?) throws -> Constants {
    try node.strictObject { table in
      var constants = Constants()
      constants.kernels = kernels
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
  package let intervals: IntervalChoice
  /// The processor whose core the host times belong to.
  package let host: String?

  /// - Throws: ``DataError`` when some constant has no value for this device.
  package init(
    device: Device, runtime: String, from calibrations: [Calibration], folder: String
  ) throws {
    let applicable = calibrations.filter { $0.applies(to: device, runtime: runtime) }.sorted {
      ($0.specificity, $0.name) < ($1.specificity, $1.name)
    }
    var merged = Constants()
    for calibration in applicable { merged.override(with: calibration.constants) }
    guard merged.missing.isEmpty else {
      throw DataError(
        file: folder,
        problem: "no calibration gives \(Self.listed(merged.missing)) for device '\(device.name)' of class "
          + device.deviceClass.rawValue)
    }
    constants = merged
    names = applicable.map(\.name)
    intervals = IntervalChoice(applicable)
    host = applicable.last { $0.host != nil }?.host
  }

  /// The first few by name, and how many more there are.
  private static func listed(_ keys: [ConstantKey]) -> String {
    let names = keys.prefix(6).map(\.name).joined(separator: ", ")
    return keys.count > 6 ? "\(names) and \(keys.count - 6) more" : names
  }
}
