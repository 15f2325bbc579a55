import ModelGraph
import Quantities

extension StepBuilder {
  /// Fetches what a layer's weights lack in its place's memory.
  /// - Returns: The task its products wait for; nothing when all is there.
  mutating func fetchWeights(_ layer: LayeredStep.Layer, _ part: Int, _ stage: PlacedStage) -> Int? {
    guard stage.resident < 1, let store = stage.store else { return nil }
    // Later parts of the batch find what the first one fetched.
    if part > 0 { return fetched[layer.index] }
    let dense = layer.operators.filter { !$0.isExpertWork || placement.expertsHome == nil }
    // What slices of a prompt read anew is fetched once.
    let slices = 1 / Double(graph.slices(of: parts[part].shape.tokens))
    let weights = dense.sum { $0.traffic.weights * (Double($0.count) * ($0.isFeedForward ? slices : 1)) }
    let bytes = weights * (1 - stage.resident) * units(of: stage)
    guard bytes > .zero else { return nil }
    let pieces = plan.weights.unit == .layer ? 1 : max(1, dense.count { $0.traffic.weights > .zero })
    var last: Int?
    let stream = "weights \(stage.place)"
    for piece in 0..<pieces {
      let wait = piece > 0 ? last : plan.weights.reads == .ring ? nil : buffers.wait(stream, buffers: ahead)
      last = send(
        Load(
          name: "fetch weights", layer: layer.index, category: .weightCopy, bytes: bytes * (1 / Double(pieces)),
          from: store, to: stage.place, engine: site(stage.place).copyIn),
        after: needed(wait, stage, part))
    }
    fetched[layer.index] = last
    return last
  }

  /// Without a unit ahead, a fetch begins when the layer before is done.
  private func needed(_ wait: Int?, _ stage: PlacedStage, _ part: Int) -> [Int] {
    plan.weights.prefetch == 0 ? [wait, parts[part].last].compactMap { $0 } : [wait].compactMap { $0 }
  }

  private var ahead: Int { plan.weights.prefetch + 1 }

  func units(of stage: PlacedStage) -> Double { Double(site(stage.place).units) }
}

extension Operator {
  /// A product of the feed-forward network.
  var isFeedForward: Bool {
    isExpertWork || name.hasSuffix("up_proj") || name.hasSuffix("down_proj") || name == "router"
  }
}
