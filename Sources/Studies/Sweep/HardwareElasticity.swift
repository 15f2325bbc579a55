import CostModels
import Execution
import Foundation
import Quantities

/// By how many per cent an output changes when a hardware number grows by one: d ln(output) / d ln(number).
package struct HardwareElasticity: Sendable, Equatable {
  package var output: String
  package var number: HardwareNumber
  package var value: Double

  /// Half the width of the difference: 5 % either way.
  static let step = 1.05

  /// Central differences of a closed-form prediction.
  /// - Returns: One for each output and number; nothing for outputs that the prediction lacks.
  package static func ofPrediction(_ deployment: Deployment, _ batch: BatchCase) -> [HardwareElasticity] {
    HardwareNumber.allCases.flatMap { number -> [HardwareElasticity] in
      let (up, down) = (scale(number, step), scale(number, 1 / step))
      guard let more = outputs(deployment.scaled(by: up), batch), let less = outputs(deployment.scaled(by: down), batch)
      else { return [] }
      return between(less, more, number)
    }
  }

  static func scale(_ number: HardwareNumber, _ factor: Double) -> HardwareScale {
    var scale = HardwareScale()
    scale[number] = factor
    return scale
  }

  /// - Parameters:
  ///   - less, more: Outputs with the number divided and multiplied by the step.
  static func between(
    _ less: [(name: String, value: Double)], _ more: [(name: String, value: Double)], _ number: HardwareNumber
  ) -> [HardwareElasticity] {
    zip(less, more).compactMap { less, more in
      guard less.value > 0, more.value > 0 else { return nil }
      return HardwareElasticity(
        output: less.name, number: number, value: log(more.value / less.value) / (2 * log(step)))
    }
  }

  private static func outputs(_ deployment: Deployment, _ batch: BatchCase) -> [(name: String, value: Double)]? {
    guard let prediction = try? Predictor(deployment).predict(batch, overflow: .waves) else { return nil }
    let tokens = Double(batch.sequences * batch.outputTokens)
    return [
      ("ttft_s", prediction.ttft.value), ("tpot_s", prediction.tpot?.value ?? 0),
      ("e2e_s", prediction.endToEnd.value),
      ("energy_per_output_token_j", prediction.energy.value / tokens),
      ("usd_per_million_output_tokens", (deployment.price(of: prediction.endToEnd)?.value ?? 0) / tokens * 1e6),
    ]
  }
}
