import Documents
import Foundation
import Quantities

/// Where machines stand: what power costs there, how clean it is, and how much goes to cooling.
package struct GridSite: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String]
  package var notes: String?
  /// Power of the whole building over that of the machines.
  package var pue: Double
  /// US dollars a kilowatt-hour.
  package var electricity: Double
  /// Grams of CO2 equivalent a kilowatt-hour, for each hour of the day; 24 of them.
  package var carbon: [Double]
  /// Years after which machines are written off.
  package var lifetime: Double
  /// Price of servers, network and building over that of the devices alone.
  package var capitalFactor: Double
  package var citations: [String: String]

  package var meanCarbon: Double { carbon.reduce(0, +) / Double(carbon.count) }

  package static let standard = "world-average"
  static let joulesPerKilowattHour = 3.6e6

  /// Kilowatt-hours at the meter of a building for energy that machines draw.
  package func kilowattHours(_ energy: Joules) -> Double { energy.value / Self.joulesPerKilowattHour * pue }
}

extension GridSite: CatalogueEntry {
  package static let title = "site"

  package static func read(path: String, name: String) throws -> GridSite {
    try YAMLDocument.read(path: path).strictObject { file in
      let sources = try SourceTable(file)
      try sources.cover(
        file,
        [
          "pue", "electricity_usd_per_kwh", "carbon_g_per_kwh", "carbon_by_hour_g_per_kwh", "lifetime_years",
          "capital_factor",
        ])
      return GridSite(
        name: try checkedName(file, name), title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        notes: try file.optionalString("notes"), pue: try file.double("pue", in: 1...5),
        electricity: try file.double("electricity_usd_per_kwh", in: 0...10), carbon: try carbon(file),
        lifetime: try file.double("lifetime_years", in: 0.1...50),
        capitalFactor: try file.double("capital_factor", in: 1...10), citations: sources.byField)
    }
  }

  /// One number for the whole day, or one for each hour.
  private static func carbon(_ file: ObjectReader) throws -> [Double] {
    guard let hours = file.optional("carbon_by_hour_g_per_kwh") else {
      return [Double](repeating: try file.double("carbon_g_per_kwh", in: 0...5000), count: 24)
    }
    if let plain = file.optional("carbon_g_per_kwh") { throw plain.error("does not go with carbon_by_hour_g_per_kwh") }
    let values = try hours.array().map { try $0.double(in: 0...5000) }
    guard values.count == 24 else { throw hours.error("has \(values.count) values, expected 24, from midnight on") }
    return values
  }
}
