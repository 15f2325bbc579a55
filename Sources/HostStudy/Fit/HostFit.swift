import CostModels
import Execution
import Foundation
import ModelGraph
import Quantities
import ReferenceEngine
import Statistics

/// Fits the kernel table of the engine on so many threads to measured steps, operator by operator, and what a step
/// costs besides.
package struct HostFit {
  /// A measured operator, with what the graph says of it.
  private struct Row {
    let work: ModelGraph.Operator
    /// Of one call.
    let seconds: Double
  }

  package struct Outcome: Sendable {
    package var kernels = KernelTable()
    package var constants: [(key: ConstantKey, value: Double)] = []
    /// Predicted over measured, of operators that were fitted.
    package var ratios: [Double] = []
  }

  /// Rows of a tile of the engine's attention.
  private let tileRows: Int

  package init(_ instructions: InstructionSet) { tileRows = instructions.tileRows }

  /// - Parameters:
  ///   - samples: Steps of models in the format at hand, which decide all but products of other formats.
  ///   - others: Steps of models in other formats: files mix them.
  package func fit(_ samples: [HostSample], others: [HostSample] = []) throws -> Outcome {
    var outcome = Outcome()
    let rows = try samples.flatMap(rows)
    try fitProducts(rows, isOwn: true, &outcome)
    for format in WeightFormat.allCases {
      let other = others.filter { $0.format == format && format != samples.first?.format }
      try fitProducts(other.flatMap { try self.rows($0) }, isOwn: false, &outcome)
    }
    for kind in EngineOperator.allCases { try fitRowWork(kind, rows, &outcome) }
    try fitDecodeAttention(rows, &outcome)
    try fitPrefillAttention(rows, &outcome)
    outcome.constants = steps(samples)
    return outcome
  }

  private func rows(_ sample: HostSample) throws -> [Row] {
    let graph = try OperatorGraph(model: sample.shape.architecture(), plan: Plan(formats: sample.formats))
    let works = graph.operators(for: sample.step.shape(graph.spans))
    return sample.operators.compactMap { item in
      guard item.seconds > 0, let work = works.first(where: { $0.name == item.name }) else { return nil }
      return Row(work: work, seconds: item.seconds / Double(item.calls))
    }
  }

  // MARK: Operators

  /// A product's time a weight is a curve over rows, with a point for each number of rows that was measured.
  private func fitProducts(_ rows: [Row], isOwn: Bool, _ outcome: inout Outcome) throws {
    let rows = rows.filter { $0.work.kind.isProduct }
    let points = Set(rows.compactMap(\.work.wholeRows)).sorted()
    guard let format = rows.first?.work.weightFormat, rows.count > points.count + 3 else { return }
    let guesses = points.map { point -> Double in
      let times = rows.filter { $0.work.wholeRows == point }.map { $0.seconds / $0.work.weightCount }
      return Quantile.median(times)
    }
    let unknowns =
      [Unknown("start", 1e-6), Unknown("input", 1e-10), Unknown("output", 1e-10)]
      + zip(points, guesses).map { Unknown("rows_\($0)", $1) }
    func table(_ values: [Double]) -> KernelTable {
      var table = KernelTable()
      table.products = [
        KernelTable.Product(
          weights: format, start: values[0], input: values[1], output: values[2], rows: points,
          times: Array(values[3...]))
      ]
      return table
    }
    if let best = try solve(rows, unknowns, countsIn: isOwn, &outcome, table) {
      outcome.kernels.products += best.products
    }
  }

  /// The time is a curve over bytes, with points some times apart from the fewest to the most that were measured.
  private func fitRowWork(_ kind: EngineOperator, _ rows: [Row], _ outcome: inout Outcome) throws {
    let rows = rows.filter { $0.work.name == kind.rawValue && $0.work.isElementwise }
    let sizes = rows.map(\.work.traffic.activations.value)
    guard let least = sizes.min(), let most = sizes.max(), least > 0, most > least else { return }
    let steps = max(2, Int((log(most / least) / log(Self.pointDistance)).rounded()))
    let bytes = (0...steps).map { least * pow(most / least, Double($0) / Double(steps)) }
    // Points without a measurement near them stay on the line between the ends.
    let ends = Self.ends(rows)
    let unknowns = bytes.map { Unknown("bytes_\($0)", ends.low + ends.slope * ($0 - least)) }
    let best = try solve(rows, unknowns, countsIn: true, &outcome) { values in
      var table = KernelTable()
      table.rowWork = [KernelTable.RowWork(name: kind.rawValue, bytes: bytes, times: values)]
      return table
    }
    if let best { outcome.kernels.rowWork += best.rowWork }
  }

  /// How many times apart points of a curve over bytes are.
  private static let pointDistance = 4.0

  /// What the least work takes, and what each byte more adds up to the most.
  private static func ends(_ rows: [Row]) -> (low: Double, slope: Double) {
    let sorted = rows.map { (bytes: $0.work.traffic.activations.value, seconds: $0.seconds) }.sorted {
      $0.bytes < $1.bytes
    }
    guard let low = sorted.first, let high = sorted.last, high.bytes > low.bytes else { return (1e-6, 0) }
    return (low.seconds, max(0, high.seconds - low.seconds) / (high.bytes - low.bytes))
  }

  private func fitDecodeAttention(_ rows: [Row], _ outcome: inout Outcome) throws {
    let rows = rows.filter { if case .decodeAttention = $0.work.kind { true } else { false } }
    let unknowns = [
      Unknown("start", 1e-6), Unknown("pair", 1e-7), Unknown("read", 5e-11), Unknown("load", 1e-11),
      Unknown("flop", 1e-11),
    ]
    let best = try solve(rows, unknowns, countsIn: true, &outcome) { values in
      var table = KernelTable()
      table.decodeAttention = KernelTable.DecodeAttention(
        start: values[0], pair: values[1], read: values[2], load: values[3], flop: values[4])
      return table
    }
    outcome.kernels.decodeAttention = best?.decodeAttention
  }

  private func fitPrefillAttention(_ rows: [Row], _ outcome: inout Outcome) throws {
    let rows = rows.filter { if case .prefillAttention = $0.work.kind { true } else { false } }
    let tileRows = Double(tileRows)
    let unknowns = [Unknown("start", 1e-6), Unknown("tile", 1e-6), Unknown("flop", 1e-11)]
    let best = try solve(rows, unknowns, countsIn: true, &outcome) { values in
      var table = KernelTable()
      table.prefillAttention = KernelTable.PrefillAttention(
        tileRows: tileRows, start: values[0], tile: values[1], flop: values[2])
      return table
    }
    outcome.kernels.prefillAttention = best?.prefillAttention
  }

  /// A time in seconds and where it is looked for: within a thousand times of a guess.
  private struct Unknown {
    let parameter: FitParameter

    init(_ name: String, _ guess: Double) {
      parameter = FitParameter(name, guess / 1000...guess * 1000, start: guess, scale: .logarithmic)
    }
  }

  /// - Returns: The best table; nothing for too few rows.
  private func solve(
    _ rows: [Row], _ unknowns: [Unknown], countsIn: Bool, _ outcome: inout Outcome,
    _ table: @escaping ([Double]) -> KernelTable
  ) throws -> KernelTable? {
    guard rows.count > unknowns.count else { return nil }
    var fit = RobustFit(parameters: unknowns.map(\.parameter), loss: .softL1(scale: 0.05))
    fit.starts = unknowns.count > 8 ? 1 : 4
    fit.differenceStep = 1e-4
    fit.maxIterations = 100
    let solution = try fit.solve { values in
      let table = table(values)
      return rows.map { log((table.seconds($0.work) ?? .infinity) / $0.seconds) }
    }
    if countsIn { outcome.ratios += solution.residuals.map { exp($0) } }
    return table(solution.values)
  }

  // MARK: Steps

  /// What steps take beyond their operators: something each, and something for each sequence.
  private func steps(_ samples: [HostSample]) -> [(key: ConstantKey, value: Double)] {
    let rest = samples.map { sample -> (sequences: Double, seconds: Double) in
      let inside = sample.operators.reduce(0) { $0 + $1.seconds }
      if case .decode(let sequences, _) = sample.step { return (Double(sequences), max(0, sample.seconds - inside)) }
      return (1, max(0, sample.seconds - inside))
    }
    let alone = rest.filter { $0.sequences == 1 }.map(\.seconds)
    let each = alone.isEmpty ? 0 : Quantile.median(alone)
    let more = rest.filter { $0.sequences > 4 }.map { max(0, $0.seconds - each) / $0.sequences }
    // The engine's one thread starts work by calling it.
    return [
      (.launch, 0), (.stepWithPrompts, 0), (.stepOverhead, each),
      (.stepPerSequence, more.isEmpty ? 0 : Quantile.median(more)),
    ]
  }
}

extension ModelGraph.Operator {
  fileprivate var isElementwise: Bool { if case .elementwise = kind { true } else { false } }

  /// Rows of a plain product.
  fileprivate var wholeRows: Double? { if case .gemm(let shape) = kind { Double(shape.rows) } else { nil } }

  /// Weights of a product.
  fileprivate var weightCount: Double {
    switch kind {
    case .gemm(let shape): Double(shape.columns) * Double(shape.inner)
    case .expertGEMM(let shape): shape.activeExperts * Double(shape.columns) * Double(shape.inner)
    default: 1
    }
  }

  /// The engine's format whose weights are as wide as these.
  fileprivate var weightFormat: NumberFormat? {
    let bits = 8 * traffic.weights.value / max(1, weightCount)
    return WeightFormat.allCases.map(\.numbers).first { abs($0.bits - bits) < 0.1 }
  }
}
