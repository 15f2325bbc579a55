import CostModels
import Hardware
import ModelGraph
import Quantities

/// How many layers each stage of a pipeline gets when a plan leaves that open.
///
/// First an exact answer to a simpler question: reading what memories lack goes on beside everything else, so for each
/// time S that the drives may take, every stage holds at most what fits and what its drive reads in S, and the quickest
/// places are filled first; the S that makes the larger of both smallest wins. Then single layers are moved between
/// stages as long as the scheduled step gets shorter.
struct StageSearch {
  let plan: PlacementPlan
  let machine: Machine
  let parts: Placement.Parts

  /// Layers of a stage that is left open.
  static let open = 0

  static func isOpen(_ plan: PlacementPlan) -> Bool { plan.stages.contains { $0.layers == open } }

  /// - Throws: ``PlacementError`` when the layers fit nowhere.
  func filled() throws -> PlacementPlan {
    let layers = parts.graph.model.decoder.layerCount
    let stages = try plan.stages.map(stage)
    var best = try start(stages, layers: layers)
    guard var time = price(best) else { return try plan(with: best) }
    var improved = true
    var rounds = 0
    while improved, rounds < 40 {
      improved = false
      rounds += 1
      for (from, to) in pairs(stages.count) where best[from] > 1 {
        var next = best
        next[from] -= 1
        next[to] += 1
        guard let shorter = price(next), shorter < time else { continue }
        best = next
        time = shorter
        improved = true
      }
    }
    return try plan(with: best)
  }

  private func pairs(_ count: Int) -> [(Int, Int)] {
    (0..<count).flatMap { from in (0..<count).filter { $0 != from }.map { (from, $0) } }
  }

  private func plan(with layers: [Int]) throws -> PlacementPlan {
    var filled = plan
    filled.stages = zip(plan.stages, layers).map { Stage(at: $0.at, layers: $1, store: $0.store) }
      .filter { $0.layers > 0 }
    return filled
  }

  /// Time of a decode step of one sequence; nothing when it does not fit.
  private func price(_ layers: [Int]) -> Double? {
    guard let plan = try? plan(with: layers), let placement = try? Placement(plan, on: machine, parts) else {
      return nil
    }
    let step = StepShape.decode(sequences: 1, context: 512, spans: parts.graph.spans)
    return placement.schedule(step).time.value
  }

  // MARK: The simpler question

  private struct Candidate {
    /// Time of a layer, layers that fit, and layers that its drive reads a second.
    var layerTime: Double
    var fitting: Double
    var readRate: Double
  }

  private func stage(_ stage: Stage) throws -> Candidate {
    let index = try machine.resolve(stage.at)
    let place = machine.places[index]
    let graph = parts.graph
    let step = StepShape.decode(sequences: 1, context: 512, spans: graph.spans)
    let layer = graph.layered(for: step).layers.first?.operators ?? []
    let pricer = try Placement.pricer(place, parts)
    let time = layer.sum { work in (pricer?.price(work).time ?? .zero) * Double(work.count) }
    let each = graph.weightParts.dense * (1 / Double(graph.model.decoder.layerCount))
    var usable = place.memory
    switch plan.memory[place.name] {
    case .size(let size): usable = min(size, usable)
    case .share(let share): usable = usable * share
    case nil: break
    }
    let isFirst = plan.stages.first?.at == stage.at
    let activations = graph.liveActivations(
      tokens: parts.runtime.maxBatchedTokens,
      sampled: min(parts.runtime.maxSequences, parts.runtime.maxBatchedTokens))
    let room = usable * (1 - plan.weights.setAside) - activations - (isFirst ? graph.weightParts.tables : .zero)
    let store = try (stage.store ?? plan.weights.home).map {
      machine.places[try machine.resolve($0)].device.storage?.read
    }
    let rate = (store ?? nil).map { $0.value * plan.copies.storage / each.value } ?? 0
    return Candidate(layerTime: time.value, fitting: max(0, room / each), readRate: rate)
  }

  private func start(_ stages: [Candidate], layers: Int) throws -> [Int] {
    let holding = stages.reduce(0) { $0 + $1.fitting.rounded(.down) }
    let reading = stages.reduce(0) { $0 + $1.readRate }
    guard holding >= Double(layers) || reading > 0 else {
      throw PlacementError.doesNotFit(
        what: "\(layers) layers", place: "the stages of plan '\(plan.name)'", needed: parts.graph.weightParts.dense,
        room: parts.graph.weightParts.dense * (holding / Double(layers)),
        hint: "name a 'store' that the rest can be read from")
    }
    let least = holding >= Double(layers) ? 0 : (Double(layers) - holding) / reading
    var best: (counts: [Int], time: Double)?
    for part in 0...40 {
      let wait = least * (1 + Double(part) / 20)
      let counts = fill(stages, layers, wait: wait)
      guard counts.reduce(0, +) == layers else { continue }
      let work = zip(stages, counts).reduce(0) { $0 + $1.0.layerTime * Double($1.1) }
      if best.map({ max(work, wait) < $0.time }) ?? true { best = (counts, max(work, wait)) }
    }
    return best?.counts ?? spread(layers, over: stages.count)
  }

  /// The quickest places first, each as full as its memory and its drive allow.
  private func fill(_ stages: [Candidate], _ layers: Int, wait: Double) -> [Int] {
    var counts = [Int](repeating: 0, count: stages.count)
    var left = layers
    for index in stages.indices.sorted(by: { (stages[$0].layerTime, $0) < (stages[$1].layerTime, $1) }) {
      let most = Int((stages[index].fitting + wait * stages[index].readRate).rounded(.down))
      counts[index] = min(left, most)
      left -= counts[index]
    }
    return counts
  }

  private func spread(_ layers: Int, over count: Int) -> [Int] {
    (0..<count).map { layers * ($0 + 1) / count - layers * $0 / count }
  }
}
