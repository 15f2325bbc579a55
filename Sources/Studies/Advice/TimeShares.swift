import CostModels
import EventKernel
import Execution
import ModelGraph
import Quantities

/// Where the time of a batch goes, by the kernels that take it, so that errors which two deployments share can be told
/// from those that only one of them has.
struct TimeShares {
  /// A kernel in one phase. Another format, or another bound, is another kernel: its error is its own.
  struct Kernel: Equatable {
    var isPrompt: Bool
    var name: String
    var bound: Bound
    var compute: NumberFormat?
    /// Thousandths of a byte read for each weight, or for each FLOP of attention.
    var density: Int
  }

  private var parts: [(kernel: Kernel, share: Double)] = []

  /// Shares of a prediction's time, from its first prefill step and its decode step in the middle.
  init(_ deployment: Deployment, _ batch: BatchCase, _ prediction: Prediction) {
    let predictor = Predictor(deployment)
    let prompt = prediction.ttft / prediction.endToEnd
    let first = predictor.firstPrefillStep(batch)
    let operators = deployment.pricedOperators(first)
    add(operators, isPrompt: true, of: deployment.price(operators, first).time.value, share: prompt)
    guard let step = predictor.middleDecodeStep(batch) else { return }
    var verifying = step
    let drafting = deployment.decoding?.drafting
    verifying.decodeQueries = drafting.map { $0.verified + 1 } ?? 1
    let decoding = deployment.pricedOperators(verifying)
    let cycle = deployment.tokenCost(step).time.value * (drafting?.tokensPerCycle ?? 1)
    add(decoding, isPrompt: false, of: cycle, share: 1 - prompt)
  }

  /// Adds a step's operators, and what its whole takes beyond them: the host, and drafts.
  private mutating func add(_ operators: [PricedOperator], isPrompt: Bool, of whole: Double, share: Double) {
    guard whole > 0 else { return }
    var rest = whole
    for item in operators {
      let time = item.totalTime.value
      rest -= time
      let kernel = Kernel(
        isPrompt: isPrompt, name: item.work.name, bound: item.price.bound, compute: item.work.compute,
        density: Self.density(item.work))
      add(kernel, share * time / whole)
    }
    add(Kernel(isPrompt: isPrompt, name: "", bound: .host, compute: nil, density: 0), share * max(0, rest) / whole)
  }

  private mutating func add(_ kernel: Kernel, _ share: Double) {
    if let index = parts.firstIndex(where: { $0.kernel == kernel }) {
      parts[index].share += share
    } else {
      parts.append((kernel, share))
    }
  }

  private static func density(_ work: Operator) -> Int {
    func thousandths(_ bytes: Double, _ each: Double) -> Int { each > 0 ? Int((bytes / each * 1000).rounded()) : 0 }
    switch work.kind {
    case .gemm(let shape): return thousandths(work.traffic.weights.value, Double(shape.columns * shape.inner))
    case .expertGEMM(let shape):
      return thousandths(work.traffic.weights.value, shape.activeExperts * Double(shape.columns * shape.inner))
    case .decodeAttention: return thousandths(work.traffic.kvRead.value, work.flops.value)
    case .prefillAttention, .elementwise, .recurrentScan, .collective: return 0
    }
  }

  /// The factor within which the ratio of two times is expected, when each alone is expected within `error`.
  ///
  /// Every kernel errs by itself, all of them so that the first time errs as a whole by `error`. What both sides spend in
  /// the same kernel cancels; shares that only one side has do not.
  func ratioError(to other: TimeShares, error: Double) -> Double {
    var apart = 0.0
    var own = 0.0
    for part in parts {
      let difference = part.share - (other.parts.first { $0.kernel == part.kernel }?.share ?? 0)
      apart += difference * difference
      own += part.share * part.share
    }
    for part in other.parts where !parts.contains(where: { $0.kernel == part.kernel }) {
      apart += part.share * part.share
    }
    guard own > 0, error > 1 else { return 1 }
    return PortableMath.exp(PortableMath.log(error) * (apart / own).squareRoot())
  }
}
