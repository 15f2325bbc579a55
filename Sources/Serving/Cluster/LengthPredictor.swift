import EventKernel
import Workloads

/// Tells schedulers how long answers will be, with the accuracy they are allowed.
///
/// A ranked prediction works on ranks, so that its accuracy does not depend on how lengths are spread. The rank of the true
/// length among those seen so far becomes a normal score z; the predicted score is rho z + sqrt(1 - rho^2) e with normal
/// noise e, and the prediction is the length at that score's rank. True and predicted scores are bivariate normal with
/// correlation rho, for which Kendall's tau is (2 / pi) asin(rho) (M. Kendall, Rank Correlation Methods, 1948). Equal
/// lengths share a rank; the tau meant is tau-b, which leaves ties out. Until some tens of lengths have been seen, ranks
/// are coarse and predictions less accurate.
struct LengthPredictor {
  private let knowledge: LengthKnowledge
  private var stream: RandomStream
  private var ranks: LengthRanks?
  /// Correlation of true and predicted scores, and the share of noise.
  private let rho: Double
  private let noise: Double

  /// - Parameter stream: Name of the random stream it draws from.
  init(_ knowledge: LengthKnowledge, seed: UInt64, stream name: String = "serving.length-prediction") {
    self.knowledge = knowledge
    stream = RandomStream(seed: seed, name: name)
    if case .ranked(let tau) = knowledge {
      rho = PortableMath.sin(min(1, max(-1, tau)) * 1.5707963267948966)
      noise = max(0, 1 - rho * rho).squareRoot()
      ranks = LengthRanks()
    } else {
      rho = 1
      noise = 0
    }
  }

  /// - Complexity: O(1) for the rest, some hundred nanoseconds for a ranked prediction.
  mutating func predict(_ request: Request) -> Int {
    switch knowledge {
    case .none: return 0
    case .oracle: return request.outputTokens
    case .ranked: return rank(request.outputTokens)
    }
  }

  private mutating func rank(_ length: Int) -> Int {
    ranks?.add(length)
    guard let ranks else { return 0 }
    let draw = stream.normal()
    guard noise > 0 else { return length }
    let score = PortableMath.normalQuantile(ranks.share(below: length))
    return ranks.length(at: PortableMath.normalCDF(rho * score + noise * draw))
  }
}
