import CostModels
import Execution
import ModelGraph
import ReferenceEngine
import Statistics

/// Steps measured here beside what the files predict.
package struct HostComparison: Sendable {
  /// One step.
  package struct Step: Sendable {
    package let sample: HostSample
    package let predicted: Double
  }

  /// One operator of one step.
  package struct OperatorRow: Sendable {
    package let name: String
    package let sample: HostSample
    package let measured: Double
    package let predicted: Double
    /// Its part of the step's time.
    package let share: Double
    package let noise: Double
  }

  package private(set) var steps: [Step] = []
  package private(set) var operators: [OperatorRow] = []

  package init(_ samples: [HostSample], predictor: HostPredictor) throws {
    for sample in samples {
      let deployment = try predictor.deployment(
        sample.shape.architecture(), sample.formats, sample.format, threads: sample.threads)
      let shape = sample.step.shape(deployment.graph.spans)
      let priced = deployment.pricedOperators(shape)
      steps.append(Step(sample: sample, predicted: deployment.price(priced, shape).time.value))
      for item in sample.operators {
        guard let price = priced.first(where: { $0.work.name == item.name }) else { continue }
        operators.append(
          OperatorRow(
            name: item.name, sample: sample, measured: item.seconds, predicted: price.totalTime.value,
            share: item.seconds / sample.seconds, noise: item.noise))
      }
    }
  }

  /// Errors of some operators.
  package func operatorErrors(threads: Int, where keep: (OperatorRow) -> Bool = { _ in true }) -> HostErrors? {
    HostErrors(
      operators.filter { $0.sample.threads == threads && keep($0) }.map {
        HostErrors.Pair(measured: $0.measured, predicted: $0.predicted, noise: $0.noise)
      })
  }

  /// Errors of some steps.
  package func stepErrors(threads: Int, where keep: (HostSample) -> Bool = { _ in true }) -> HostErrors? {
    HostErrors(
      steps.filter { $0.sample.threads == threads && keep($0.sample) }.map {
        HostErrors.Pair(measured: $0.sample.seconds, predicted: $0.predicted, noise: $0.sample.noise)
      })
  }

  /// Errors of whole answers: a prompt and as many decodes of one sequence at a context near it as there are tokens.
  package func answerErrors(threads: Int, outputs: Int) -> HostErrors? {
    var pairs: [HostErrors.Pair] = []
    for prompt in steps where prompt.sample.threads == threads {
      guard case .prefill(let tokens) = prompt.sample.step,
        let decode = steps.first(where: { $0.sample.isLike(prompt.sample) && $0.sample.decodesOne(near: tokens) })
      else { continue }
      pairs.append(
        HostErrors.Pair(
          measured: prompt.sample.seconds + Double(outputs) * decode.sample.seconds,
          predicted: prompt.predicted + Double(outputs) * decode.predicted,
          noise: max(prompt.sample.noise, decode.sample.noise)))
    }
    return HostErrors(pairs)
  }
}

extension HostSample {
  fileprivate func isLike(_ other: HostSample) -> Bool {
    shape == other.shape && format == other.format && threads == other.threads
  }

  fileprivate func decodesOne(near tokens: Int) -> Bool {
    guard case .decode(1, let context) = step else { return false }
    return context >= tokens && context <= 8 * tokens
  }
}

/// How far predictions lie from measurements, beside how far measurements lie from one another.
package struct HostErrors: Sendable {
  package struct Pair: Sendable {
    package let measured: Double
    package let predicted: Double
    package let noise: Double

    package init(measured: Double, predicted: Double, noise: Double) {
      self.measured = measured
      self.predicted = predicted
      self.noise = noise
    }
  }

  package let count: Int
  package let median: Double
  package let ninetieth: Double
  package let bias: Double
  /// Median noise of the measurements.
  package let noise: Double

  /// - Returns: Nothing for no pairs.
  package init?(_ pairs: [Pair]) {
    let pairs = pairs.filter { $0.measured > 0 && $0.predicted.isFinite }
    guard !pairs.isEmpty else { return nil }
    let ratios = pairs.map { $0.predicted / $0.measured - 1 }
    count = pairs.count
    median = Quantile.median(ratios.map(abs))
    ninetieth = Quantile.value(ratios.map(abs), at: 0.9)
    bias = ratios.reduce(0, +) / Double(count)
    noise = Quantile.median(pairs.map(\.noise))
  }
}
