import Documents
import Quantities

/// A kind of link: what one lane, link or port of it carries.
package struct Link: Sendable {
  package enum Medium: String, CaseIterable, Sendable {
    case pcie, nvlink, c2c, fabric, infiniband, roce, ethernet, wifi, wan
  }
  package enum Unit: String, CaseIterable, Sendable { case lane, link, port }
  package enum Duplex: String, CaseIterable, Sendable { case full, half }

  package var name: String
  package var title: String
  package var aliases: [String]
  package var medium: Medium
  package var unit: Unit
  /// One unit, one direction, after line coding.
  package var bandwidth: BytesPerSecond
  /// One way, for a message without content.
  package var latency: Seconds
  package var duplex: Duplex
  /// What a byte that crosses it costs, both ends; nothing where no one states it.
  package var energy: JoulesPerByte?
  package var notes: String?
  package var citations: [String: String]
}

extension Link: CatalogueEntry {
  package static let title = "link"

  package static func read(path: String, name: String) throws -> Link {
    try YAMLDocument.read(path: path).strictObject { file in
      let sources = try SourceTable(file)
      try sources.cover(file, ["bandwidth", "latency", "energy"])
      return Link(
        name: try checkedName(file, name),
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        medium: try file.choice("medium", Medium.self),
        unit: try file.choice("unit", Unit.self),
        bandwidth: try file.quantity("bandwidth", BandwidthDimension.self),
        latency: try file.quantity("latency", TimeDimension.self, allowingZero: true),
        duplex: try file.choice("duplex", Duplex.self),
        energy: try file.optionalQuantity("energy", EnergyPerByteDimension.self),
        notes: try file.optionalString("notes"),
        citations: sources.byField)
    }
  }
}
