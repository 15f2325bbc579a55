import Execution
import Reporting

/// Where one choice overtakes another: a drawing, the numbers behind it, and what they say.
package struct CrossoverMap: Sendable {
  /// Name of the drawing's file, without its suffix.
  package var name: String
  package var title: String
  /// What was assumed.
  package var setting: String
  package var chart: LineChart
  /// What the lines say, computed from them.
  package var findings: [String]

  /// The first x, in order, at which one line's y falls to another's or below.
  static func crossing(_ one: [LineChart.Point], below other: [LineChart.Point]) -> Double? {
    zip(one, other).first { $0.y <= $1.y }?.0.x
  }

  /// The first x at which a line falls to a level or below.
  static func crossing(_ line: [LineChart.Point], below level: Double) -> Double? { line.first { $0.y <= level }?.x }
}

/// All maps, and the report that holds them.
package struct CrossoverReport {
  private let maps: [CrossoverMap]

  /// - Parameter progress: Called with the number of maps done.
  package init(library: Library, progress: (Int) -> Void = { _ in }) throws {
    var maps: [CrossoverMap] = []
    for make in Self.makers {
      maps.append(try make(Crossovers(library: library)))
      progress(maps.count)
    }
    self.maps = maps
  }

  package static var count: Int { makers.count }

  private static let makers: [@Sendable (Crossovers) throws -> CrossoverMap] = [
    { try $0.weightFormats() }, { try $0.speculation() }, { try $0.expertsAgainstDense() },
    { try $0.cacheCompression() },
    { try $0.disaggregation() }, { try $0.attentionOnStorage() }, { try $0.processorsAgainstDevices() },
  ]

  /// File names and contents.
  package var files: [(name: String, text: String)] {
    [("README.md", page)] + maps.map { ($0.name + ".svg", $0.chart.svg()) }
  }

  private var page: String {
    var text = """
      # Crossovers

      Written by `ridgeline crossovers`. Each map asks where one choice overtakes another; settings are under each title,
      the findings are read off the lines by the program.

      """
    for map in maps {
      text += "\n## \(map.title)\n\n\(map.setting)\n\n![\(map.title)](\(map.name).svg)\n\n"
      for finding in map.findings { text += "- \(finding)\n" }
    }
    return text
  }
}
