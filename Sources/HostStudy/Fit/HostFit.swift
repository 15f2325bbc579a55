import CostModels
import Execution
import Foundation
import ModelGraph
import ReferenceEngine
import Statistics

/// Fits the constants of one format on so many threads to measured steps: operators family by family, then what a step
/// costs besides.
package struct HostFit {
  /// A constant and the bounds it is looked for in.
  private struct Unknown {
    let key: ConstantKey
    let range: ClosedRange<Double>
    let start: Double

    init(_ key: ConstantKey, _ range: ClosedRange<Double>, _ start: Double) {
      self.key = key
      self.range = range
      self.start = start
    }
  }

  private enum Family: CaseIterable {
    case products, decodeAttention, prefillAttention, elementwise

    func contains(_ kind: OperatorKind) -> Bool {
      switch (self, kind) {
      case (.products, .gemm), (.decodeAttention, .decodeAttention), (.prefillAttention, .prefillAttention),
        (.elementwise, .elementwise):
        true
      default: false
      }
    }

    var unknowns: [Unknown] {
      switch self {
      case .products:
        [
          Unknown(.gemmCompute, 0.1...1.5, 0.8), Unknown(.gemmMemory, 0.1...2, 0.8),
          Unknown(.gemmStart, 1e-8...1e-4, 1e-6), Unknown(.gemmLoad, 0.01...300, 2),
          Unknown(.gemmFill, 1e-10...1e-5, 1e-8), Unknown(.gemmStore, 0.01...100, 1),
        ]
      case .decodeAttention:
        [
          Unknown(.decodeAttentionCompute, 0.005...2, 0.3), Unknown(.decodeAttentionMemory, 0.05...2, 0.7),
          Unknown(.decodeAttentionStart, 1e-8...1e-4, 1e-6), Unknown(.decodeAttentionTile, 1e-9...1e-4, 1e-7),
        ]
      case .prefillAttention:
        [
          Unknown(.prefillAttentionCompute, 0.01...2, 0.5), Unknown(.prefillAttentionMemory, 0.01...2, 0.5),
          Unknown(.prefillAttentionStart, 1e-8...1e-4, 1e-6), Unknown(.prefillAttentionTile, 1e-10...1e-5, 1e-7),
        ]
      case .elementwise:
        [Unknown(.elementwiseMemory, 0.02...2, 0.5), Unknown(.elementwiseStart, 1e-9...1e-4, 1e-6)]
      }
    }
  }

  /// A measured operator, with what the graph says of it.
  private struct Row {
    let work: ModelGraph.Operator
    let seconds: Double
  }

  package struct Outcome: Sendable {
    package var constants = Constants()
    package var keys: [ConstantKey] = []
    /// Predicted over measured, of operators that were fitted.
    package var ratios: [Double] = []
  }

  private let base: Constants
  private let platform: Platform

  package init(platform: Platform, base: Constants) {
    self.platform = platform
    self.base = base
  }

  package func fit(_ samples: [HostSample]) throws -> Outcome {
    var outcome = Outcome()
    // Constants that belong to other machines' kernels have no part here.
    for key in [
      ConstantKey.gemmStep, .gemmSplitStart, .decodeAttentionGroup, .decodeAttentionJoin, .decodeAttentionRegroup,
      .prefillAttentionHead, .launch, .stepWithPrompts,
    ] {
      outcome.constants[key] = 0
      outcome.keys.append(key)
    }
    let rows = try samples.flatMap(rows)
    for family in Family.allCases {
      try fit(family, rows.filter { family.contains($0.work.kind) }, &outcome)
    }
    fitSteps(samples, &outcome)
    return outcome
  }

  private func rows(_ sample: HostSample) throws -> [Row] {
    let graph = try OperatorGraph(model: sample.shape.architecture(), plan: Plan(formats: sample.formats))
    let works = graph.operators(for: sample.step.shape(graph.spans))
    return sample.operators.compactMap { item in
      works.first { $0.name == item.name }.map { Row(work: $0, seconds: item.seconds / Double(item.calls)) }
    }
  }

  private func fit(_ family: Family, _ rows: [Row], _ outcome: inout Outcome) throws {
    let unknowns = family.unknowns
    guard rows.count > unknowns.count else { return }
    var known = base
    known.override(with: outcome.constants)
    var fit = RobustFit(
      parameters: unknowns.map { FitParameter($0.key.name, $0.range, start: $0.start, scale: .logarithmic) },
      loss: .softL1(scale: 0.1))
    fit.starts = 3
    fit.differenceStep = 0.003
    fit.maxIterations = 60
    let platform = platform
    let solution = try fit.solve { values in
      let pricer = OperatorPricer(platform: platform, constants: Self.merged(known, unknowns, values))
      return rows.map { log(pricer.price($0.work).time.value / $0.seconds) }
    }
    outcome.ratios += solution.residuals.map { exp($0) }
    for (unknown, value) in zip(unknowns, solution.values) {
      outcome.constants[unknown.key] = value
      outcome.keys.append(unknown.key)
    }
  }

  private static func merged(_ base: Constants, _ unknowns: [Unknown], _ values: [Double]) -> Constants {
    var merged = base
    for (unknown, value) in zip(unknowns, values) { merged[unknown.key] = value }
    return merged
  }

  /// What steps take beyond their operators: something each, and something for each sequence.
  private func fitSteps(_ samples: [HostSample], _ outcome: inout Outcome) {
    let rest = samples.map { sample -> (sequences: Double, seconds: Double) in
      let inside = sample.operators.reduce(0) { $0 + $1.seconds }
      if case .decode(let sequences, _) = sample.step { return (Double(sequences), max(0, sample.seconds - inside)) }
      return (1, max(0, sample.seconds - inside))
    }
    let alone = rest.filter { $0.sequences == 1 }.map(\.seconds)
    outcome.constants[.stepOverhead] = alone.isEmpty ? 0 : Quantile.median(alone)
    let more = rest.filter { $0.sequences > 4 }.map {
      max(0, $0.seconds - outcome.constants[.stepOverhead]) / $0.sequences
    }
    outcome.constants[.stepPerSequence] = more.isEmpty ? 0 : Quantile.median(more)
    outcome.keys += [.stepOverhead, .stepPerSequence]
  }
}
