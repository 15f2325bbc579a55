import Documents

/// Reads traffic from YAML; `Workloads/README.md` describes the format.
package enum TrafficFile {
  /// Reads `Workloads/Traffic/NAME.yaml` or a file of the user's own.
  /// - Throws: `DataError`, naming line and field; unknown keys and numbers without a source are errors.
  package static func read(path: String, name: String? = nil) throws -> Traffic {
    try traffic(YAMLDocument.read(path: path), name: name)
  }

  package static func parse(_ text: String, file: String) throws -> Traffic {
    try traffic(YAMLDocument.parse(text, file: file), name: nil)
  }

  private static func traffic(_ document: Node, name: String?) throws -> Traffic {
    try document.strictObject { file in
      let sources = try SourceTable(file)
      return Traffic(
        name: try checkedName(file, name),
        title: try file.string("title"),
        aliases: try file.optionalStrings("aliases"),
        arrivals: try arrivals(file.required("arrivals"), sources),
        inputTokens: try lengths(file.required("input_tokens"), sources),
        outputTokens: try lengths(file.required("output_tokens"), sources),
        rankCorrelation: try file.optional("dependence").map { try rankCorrelation($0, sources) } ?? 0,
        requests: try file.int("requests", in: 1...1_000_000_000),
        notes: try file.optionalString("notes"),
        citations: sources.byField)
    }
  }

  private static func rankCorrelation(_ node: Node, _ sources: SourceTable) throws -> Double {
    try node.strictObject { block in
      try sources.cover(block, ["rank_correlation"])
      return try block.double("rank_correlation", in: -1...1)
    }
  }

  // MARK: Arrivals

  private enum Process: String, CaseIterable {
    case poisson, gamma, constant
    case onOff = "on-off"

    /// The keys of its numbers.
    var numbers: [String] {
      switch self {
      case .poisson, .constant: ["rate_per_s"]
      case .gamma: ["rate_per_s", "shape", "cv"]
      case .onOff: ["rate_on_per_s", "rate_off_per_s", "on_s", "off_s"]
      }
    }
  }

  private static let rates = 1e-6...1e6

  private static func arrivals(_ node: Node, _ sources: SourceTable) throws -> ArrivalProcess {
    try node.strictObject { block in
      let process = try block.choice("process", Process.self)
      try sources.cover(block, process.numbers)
      switch process {
      case .poisson: return .poisson(rate: try block.double("rate_per_s", in: rates))
      case .constant: return .constant(rate: try block.double("rate_per_s", in: rates))
      case .gamma: return .gamma(rate: try block.double("rate_per_s", in: rates), shape: try shape(block))
      case .onOff: return .onOff(try onOff(block))
      }
    }
  }

  /// A gamma distribution's shape, given as such or as the coefficient of variation.
  private static func shape(_ block: ObjectReader) throws -> Double {
    let shape = try block.optionalDouble("shape", in: 1e-4...1e6)
    let variation = try block.optionalDouble("cv", in: 1e-3...1e2)
    switch (shape, variation) {
    case (let shape?, nil): return shape
    case (nil, let variation?): return 1 / (variation * variation)
    case (nil, nil): throw block.node.error("'shape' or 'cv' is missing")
    case (_?, _?): throw block.node.error("has both 'shape' and 'cv', expected one of them")
    }
  }

  private static func onOff(_ block: ObjectReader) throws -> ArrivalProcess.OnOff {
    let process = ArrivalProcess.OnOff(
      onRate: try block.double("rate_on_per_s", in: 0...rates.upperBound),
      offRate: try block.double("rate_off_per_s", in: 0...rates.upperBound),
      onSeconds: try block.double("on_s", in: 1e-3...1e9),
      offSeconds: try block.double("off_s", in: 1e-3...1e9),
      phases: try block.optionalChoice("phases", ArrivalProcess.OnOff.Phases.self) ?? .exponential)
    let inCycle = process.onRate * process.onSeconds + process.offRate * process.offSeconds
    guard inCycle >= 1e-3 else {
      throw block.node.error("brings \(inCycle) requests in a cycle of on and off, expected at least 0.001")
    }
    return process
  }

  // MARK: Lengths

  private enum Distribution: String, CaseIterable {
    case fixed, uniform, lognormal, quantiles

    /// The keys of its numbers.
    var numbers: [String] {
      switch self {
      case .fixed: ["tokens"]
      case .uniform: ["min", "max"]
      case .lognormal: ["median", "sigma", "min", "max"]
      case .quantiles: ["points"]
      }
    }
  }

  private static let tokens = 1...Request.largestTokens

  private static func lengths(_ node: Node, _ sources: SourceTable) throws -> LengthDistribution {
    try node.strictObject { block in
      let distribution = try block.choice("distribution", Distribution.self)
      try sources.cover(block, distribution.numbers)
      switch distribution {
      case .fixed: return .fixed(try block.int("tokens", in: tokens))
      case .uniform: return .uniform(try range(block))
      case .lognormal:
        return .lognormal(
          LengthDistribution.Lognormal(
            median: try block.double("median", in: 1...Double(Request.largestTokens)),
            sigma: try block.double("sigma", in: 0...10),
            range: try range(block)))
      case .quantiles: return .quantiles(try table(block.required("points")))
      }
    }
  }

  private static func range(_ block: ObjectReader) throws -> ClosedRange<Int> {
    let low = try block.int("min", in: tokens)
    return low...(try block.int("max", in: low...Request.largestTokens))
  }

  private static func table(_ node: Node) throws -> QuantileTable {
    let items = try node.array()
    let points = try items.map(point)
    if let fault = QuantileTable.fault(in: points) {
      throw (items.indices.contains(fault.index) ? items[fault.index] : node).error(fault.problem)
    }
    return QuantileTable(points: points)
  }

  private static func point(_ node: Node) throws -> QuantileTable.Point {
    let pair = try node.array()
    guard pair.count == 2 else { throw node.error("has \(pair.count) numbers, expected [share, tokens]") }
    return QuantileTable.Point(
      share: try pair[0].double(in: 0...1), tokens: try pair[1].int(in: 0...Request.largestTokens))
  }
}

extension Traffic: CatalogueEntry {
  package static let title = "traffic"
  package static let listed = "traffic"

  package static func read(path: String, name: String) throws -> Traffic {
    try TrafficFile.read(path: path, name: name)
  }
}
