import EventKernel
import Workloads

/// Tells schedulers how long answers will be, with the accuracy they are allowed.
///
/// A ranked prediction multiplies the true length by log-normal noise. For lengths that are log-normal with the spread
/// assumed here, predicted and true logarithms are bivariate normal with correlation rho, and Kendall's tau is
/// (2 / pi) asin(rho).
struct LengthPredictor {
  private let knowledge: LengthKnowledge
  private var stream: RandomStream
  /// Standard deviation of the noise's logarithm.
  private let noise: Double
  /// Standard deviation of the logarithm of answers' lengths: about 1 in the Azure 2023 traces.
  private static let spread = 1.0

  init(_ knowledge: LengthKnowledge, seed: UInt64) {
    self.knowledge = knowledge
    stream = RandomStream(seed: seed, name: "serving.length-prediction")
    if case .ranked(let tau) = knowledge {
      let rho = PortableMath.sin(tau * 1.5707963267948966)
      noise = rho > 0 ? Self.spread * (1 / (rho * rho) - 1).squareRoot() : 1e3
    } else {
      noise = 0
    }
  }

  mutating func predict(_ request: Request) -> Int {
    switch knowledge {
    case .none: return 0
    case .oracle: return request.outputTokens
    case .ranked:
      let factor = PortableMath.exp(min(40, max(-40, noise * stream.normal())))
      return Int(min(1e9, max(1, (Double(request.outputTokens) * factor).rounded())))
    }
  }
}
