import EventKernel
import Statistics
import Workloads

/// Tells schedulers how long answers will be, with the accuracy they are allowed.
///
/// A ranked prediction works on ranks, so that its accuracy does not depend on how lengths are spread: the rank of the
/// true length among those seen so far becomes a normal score, ``RankCorrelation`` predicts it with the correlation that
/// gives the stated tau, and the prediction is the length at the predicted rank. Equal lengths share a rank; the tau meant
/// is tau-b, which leaves ties out. Until some tens of lengths have been seen, ranks are coarse.
struct LengthPredictor {
  private let knowledge: LengthKnowledge
  private var stream: RandomStream
  private var ranks: LengthRanks?
  /// Correlation of true and predicted scores.
  private let rho: Double

  /// - Parameter stream: Name of the random stream it draws from.
  init(_ knowledge: LengthKnowledge, seed: UInt64, stream name: String = "serving.length-prediction") {
    self.knowledge = knowledge
    stream = RandomStream(seed: seed, name: name)
    if case .ranked(let tau) = knowledge {
      rho = tau < 1 ? RankCorrelation.rho(tau: tau) : 1
      ranks = LengthRanks()
    } else {
      rho = 1
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
    guard rho < 1 else { return length }
    let score = NormalQuantile.of(ranks.share(below: length))
    let predicted = RankCorrelation.prediction(of: score, rho: rho, &stream)
    return ranks.length(at: PortableMath.normalCDF(predicted))
  }
}
