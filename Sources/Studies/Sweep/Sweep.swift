import Documents
import EventKernel
import Execution

/// Many runs of one scenario with some of its fields changed: every combination, or a sample that fills the space evenly.
package struct Sweep: Sendable {
  package enum Design: Sendable {
    case grid
    /// A Latin hypercube: every axis is cut into as many strata as there are points, and each has one point.
    case sample(points: Int, seed: Int)
  }

  package var name: String
  package var title: String
  package var axes: [SweepAxis]
  package var design: Design
  /// The scenario that axes change; with the key `batch` in place of traffic where batches are predicted in closed form.
  package let base: Node
  /// Whether points are static batches, priced in closed form.
  package let isPrediction: Bool
  /// For each axis, the stratum of each point of a sample.
  private let strata: [[Double]]

  package static let mostPoints = 10_000_000

  /// - Throws: `DataError` for an empty or too large design, and for a field or value that makes no scenario.
  package init(name: String, title: String, base: Node, axes: [SweepAxis], design: Design) throws {
    self.name = name
    self.title = title
    self.base = base
    self.axes = axes
    self.design = design
    isPrediction = base.value(at: "batch") != nil
    guard !axes.isEmpty else {
      throw base.error("the grid is empty: no field varies; give --vary, or 'vary' in the file")
    }
    for axis in axes {
      guard case .listed(let values) = axis.values else { continue }
      var seen: Set<String> = []
      for value in values where !seen.insert(value.settingText).inserted {
        throw axis.node.error("\(axis.field) takes \(value.found) twice")
      }
    }
    for (index, axis) in axes.enumerated() where axes[..<index].contains(where: { $0.field == axis.field }) {
      throw axis.node.error("varies \(shown(axis.field)) a second time")
    }
    if case .sample(let points, let seed) = design {
      strata = axes.map { Self.strata($0.field, points: points, seed: seed) }
    } else {
      strata = []
      let total = axes.reduce(1.0) { $0 * Double($1.count) }
      guard total <= Double(Self.mostPoints) else {
        throw base.error("the grid has \(total) points, at most \(Self.mostPoints) are run; use a sample")
      }
    }
    try checkValues()
  }

  private static func strata(_ field: String, points: Int, seed: Int) -> [Double] {
    var stream = RandomStream(seed: UInt64(seed), name: "sweep " + field)
    var places = Array(0..<points)
    for index in stride(from: points - 1, to: 0, by: -1) {
      places.swapAt(index, stream.integer(below: index + 1))
    }
    return places.map { (Double($0) + stream.uniform()) / Double(points) }
  }

  package var count: Int {
    switch design {
    case .grid: axes.reduce(1) { $0 * $1.count }
    case .sample(let points, _): points
    }
  }

  // MARK: Points

  /// What a point sets, axis by axis; the last axis changes fastest in a grid.
  package func values(of point: Int) -> [Node] {
    switch design {
    case .grid:
      var rest = point
      var values: [Node] = []
      for axis in axes.reversed() {
        values.append(axis.value(rest % axis.count))
        rest /= axis.count
      }
      return values.reversed()
    case .sample: return axes.indices.map { axes[$0].value(at: strata[$0][point]) }
    }
  }

  /// - Throws: `DataError` where the values make no scenario.
  package func document(of point: Int) throws -> Node {
    try zip(axes, values(of: point)).reduce(base) { try $0.setting($1.0.field, to: $1.1) }
  }

  /// The scenario of each point, with the values that tell it from the others.
  /// - Throws: `DataError` where values make no scenario.
  package func scenarios() throws -> [(name: String, scenario: Scenario)] {
    try (0..<count).map { point in
      (
        name: values(of: point).map(\.settingText).joined(separator: " "),
        scenario: try SweepPoint(document: document(of: point)).scenario
      )
    }
  }

  /// Each value of each axis by itself makes a scenario, so that a fault shows before hours of runs, not after.
  private func checkValues() throws {
    for axis in axes {
      let values: [Node]
      switch axis.values {
      case .listed(let items): values = items
      case .range(let range): values = [range.node(at: 0, like: axis.node), range.node(at: 1, like: axis.node)]
      }
      for value in values {
        do {
          _ = try SweepPoint(document: base.setting(axis.field, to: value))
        } catch let error as DataError {
          guard error.file != axis.node.file else { throw error }
          throw axis.node.error("\(axis.field) = \(value.found): \(error)")
        }
      }
    }
  }

  // MARK: Identity

  /// The whole sweep as a document: what it varies, and the scenario with all that it says.
  package var document: Node {
    func node(_ value: Node.Value) -> Node { Node(value, file: base.file) }
    let varied = axes.map { axis -> Node in
      var pairs: [(key: String, value: Node)] = [("field", node(.string(axis.field)))]
      switch axis.values {
      case .listed(let items): pairs.append(("values", node(.array(items))))
      case .range(let range):
        pairs += [
          ("from", node(.double(range.from))), ("to", node(.double(range.to))), ("steps", node(.int(range.steps))),
        ]
        pairs += [("scale", node(.string(range.scale.rawValue))), ("whole", node(.bool(range.whole)))]
        if let unit = range.unit { pairs.append(("unit", node(.string(unit)))) }
      }
      return node(.object(pairs))
    }
    var pairs: [(key: String, value: Node)] = [
      ("name", node(.string(name))), ("title", node(.string(title))), ("vary", node(.array(varied))),
    ]
    if case .sample(let points, let seed) = design {
      pairs.append(("sample", node(.object([("points", node(.int(points))), ("seed", node(.int(seed)))]))))
    }
    return node(.object(pairs + [("scenario", base)]))
  }

  /// The same for the same sweep on the same data under the same version, and for no other.
  package func uid(_ origin: RunOrigin) -> String {
    var print = Fingerprint(document.json)
    print.add(ToolVersion.text)
    print.add(origin.dataHash)
    return print.text
  }
}

/// What one point of a sweep runs: a scenario, or a static batch of one.
struct SweepPoint {
  var scenario: Scenario
  var batch: BatchCase?
  /// Where tensors live and operators run; nothing for all on the devices that compute.
  var plan: Located?
  /// Whether lengths beyond the model's own limit are priced.
  var anyLength = false

  init(document: Node) throws {
    guard case .object(let pairs) = document.value, let batch = document.value(at: "batch") else {
      scenario = try ScenarioFile.scenario(document, name: nil)
      return
    }
    let rest = Node(
      .object(pairs.filter { $0.key != "batch" }), file: document.file, path: document.path, line: document.line)
    scenario = try ScenarioFile.scenario(rest, name: nil)
    scenario.document = document
    self.batch = try batch.strictObject { block in
      plan = try block.optional("plan").map(Located.init)
      anyLength = try block.optionalBool("any_length") ?? false
      return BatchCase(
        sequences: try block.int("sequences", in: BatchCase.sequenceRange),
        inputTokens: try block.int("input", in: BatchCase.tokenRange),
        outputTokens: try block.int("output", in: BatchCase.tokenRange))
    }
  }
}
