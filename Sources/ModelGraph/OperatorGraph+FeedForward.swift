import Foundation
import Quantities

extension OperatorGraph {
  /// A dense network or a mixture, with the all-reduce that ends the layer.
  func addFeedForward(_ feedForward: FeedForward, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let rows = step.tokens
    let start = list.count
    switch feedForward {
    case .dense(let dense):
      addDense(dense, prefix: "", rows: rows, sequences: max(1, step.sequences), count: count, to: &list)
    case .mixture(let mixture):
      addMixture(mixture, rows: rows, count: count, to: &list)
    }
    readAnew(&list, from: start, slices: slices(of: rows))
    addAllReduce("ffn_all_reduce", rows: rows, count: count, to: &list)
  }

  /// Mini-sequences that so many tokens pass the widest operators in.
  package func slices(of tokens: Int) -> Int { plan.activationSlice.map { max(1, tokens.dividedUp(by: $0)) } ?? 1 }

  /// Every slice of a prompt reads the weights of the widest operators anew.
  private func readAnew(_ list: inout [Operator], from start: Int, slices: Int) {
    guard slices > 1 else { return }
    for index in start..<list.count { list[index].traffic.weights = list[index].traffic.weights * Double(slices) }
  }

  private func addDense(
    _ dense: DenseFeedForward, prefix: String, rows: Int, sequences: Int, count: Int, to list: inout [Operator]
  ) {
    let width = dense.width.dividedUp(by: parallelism.tensor)
    let name = prefix + (dense.gated ? "gate_up_proj" : "up_proj")
    if let rank = plan.activationSparsity?.predictorRank, rank > 0 {
      addPredictor(rank, rows: rows, width: width, count: count, to: &list)
    }
    addGEMM(
      name, rows: rows, columns: (dense.gated ? 2 : 1) * width, inner: hidden, count: count,
      matrices: dense.gated ? 2 : 1, scope: .feedForward, sequences: sequences, to: &list)
    addActivation(prefix + "activation", rows: Double(rows), width: width, gated: dense.gated, count: count, to: &list)
    addGEMM(
      prefix + "down_proj", rows: rows, columns: hidden, inner: width, count: count, scope: .feedForward,
      sequences: sequences, to: &list)
  }

  /// Two thin matrices that say which neurons a token needs.
  private func addPredictor(_ rank: Int, rows: Int, width: Int, count: Int, to list: inout [Operator]) {
    for (name, columns, inner) in [("predictor_down", rank, hidden), ("predictor_up", width, rank)] {
      list.append(
        gemm(
          name, rows: rows, columns: columns, inner: inner, count: count, weights: StoredFormat(formats.stream),
          input: formats.stream))
    }
  }

  private func addActivation(
    _ name: String, rows: Double, width: Int, gated: Bool, count: Int, to list: inout [Operator]
  ) {
    let cost = plan.kernels.activation(gated: gated)
    let bytes = cost.bytes(of: rows * Double(width), stream: formats.stream)
    var work = elementwise(name, .activation, count: count, Traffic(activations: bytes), flopsPerElement: 4)
    work.launches = cost.launches
    list.append(work)
  }

  /// Router, dispatch, one GEMM pair for each visited expert, combine, and what every token visits besides.
  private func addMixture(_ mixture: MixtureOfExperts, rows: Int, count: Int, to list: inout [Operator]) {
    let load = ExpertLoad(mixture, rows: rows, plan)
    let width = mixture.expertWidth.dividedUp(by: parallelism.expertTensor)
    list.append(
      gemm(
        "router", rows: rows, columns: mixture.experts, inner: hidden, count: count, weights: formats.storedHead,
        input: formats.stream))
    let first = list.count
    defer { runOneByOne(mixture, from: first, in: &list) }
    let crossing = parallelism.expert > 1 && parallelism.data > 1
    if crossing { addDispatch("dispatch", mixture, rows: rows, count: count, to: &list) }
    // Without an exchange every device has all tokens, and kernels pass over the rows of experts that are elsewhere.
    let streamed = crossing ? load.visits : load.allVisits
    addPermutation("permute", visits: streamed, count: count, to: &list)
    list.append(
      expertGEMM(
        mixture.gated ? "expert_gate_up" : "expert_up", load, columns: (mixture.gated ? 2 : 1) * width, inner: hidden,
        count: count))
    addActivation(
      "expert_activation", rows: streamed, width: width, gated: mixture.gated, count: count, to: &list)
    list.append(expertGEMM("expert_down", load, columns: hidden, inner: width, count: count))
    addPermutation("unpermute", visits: streamed, count: count, to: &list)
    if crossing { addDispatch("combine", mixture, rows: rows, count: count, to: &list) }
    if let shared = mixture.shared {
      addDense(shared, prefix: "shared_", rows: rows, sequences: rows, count: count, to: &list)
    }
  }

  /// A library that fuses nothing visits every expert in turn: it looks for its tokens, gathers them, multiplies by gate and
  /// up, activates, multiplies by down, weighs the results and adds them to their tokens (`MixtralSparseMoeBlock`).
  private func runOneByOne(_ mixture: MixtureOfExperts, from first: Int, in list: inout [Operator]) {
    guard plan.kernels.runs(.experts) else { return }
    let each = [
      "permute": 2, "expert_gate_up": 2, "expert_up": 1, "expert_activation": mixture.gated ? 2 : 1, "expert_down": 1,
      "unpermute": 2,
    ]
    let experts = mixture.experts.dividedUp(by: parallelism.expert)
    for index in first..<list.count {
      guard let kernels = each[list[index].name] else { continue }
      list[index].launches = experts * kernels
    }
  }

  private func expertGEMM(_ name: String, _ load: ExpertLoad, columns: Int, inner: Int, count: Int) -> Operator {
    let activations =
      formats.expertActivations.size(of: load.visits * Double(inner))
      + formats.stream.size(of: load.visits * Double(columns))
    let elements = load.active * Double(columns) * Double(inner)
    var weights = formats.storedExperts.size(of: elements)
    var flops = FLOPs(2 * load.visits * Double(columns) * Double(inner))
    if let sparse = plan.weightSparsity {
      let bits = formats.storedExperts.bits
      weights = weights * (sparse.density * (bits + sparse.indexBits) / bits)
      flops = flops * sparse.computeShare
    }
    if let sparse = plan.activationSparsity, load.active > 0 {
      let share = sparse.union(of: Int((load.visits / load.active).rounded(.up)))
      weights = weights * min(1, share / sparse.granularity)
      flops = flops * share
    }
    let shape = ExpertGEMMShape(
      visits: load.visits, activeExperts: load.active, columns: columns, inner: inner, loads: load.eighths,
      isExact: plan.routing == .even)
    var work = Operator(
      name: name, kind: .expertGEMM(shape), count: count, flops: flops,
      traffic: Traffic(weights: weights, activations: activations), compute: formats.expertActivations.arithmetic)
    work.vectorWork = FLOPs(elements * formats.storedExperts.expansion)
    return work
  }

  private func addPermutation(_ name: String, visits: Double, count: Int, to list: inout [Operator]) {
    let elements = 2 * visits * Double(hidden)
    list.append(
      elementwise(name, .permutation, count: count, Traffic(activations: formats.stream.size(of: elements))))
  }

  /// Tokens travel to their experts' devices and back when attention is data parallel.
  private func addDispatch(
    _ name: String, _ mixture: MixtureOfExperts, rows: Int, count: Int, to list: inout [Operator]
  ) {
    let copies = Double(min(mixture.expertsPerToken, parallelism.expert))
    let elements = Double(rows.dividedUp(by: parallelism.tensor)) * copies * Double(hidden)
    let format = name == "dispatch" ? formats.expertActivations : formats.stream
    list.append(
      collective(
        name, .allToAll, ranks: parallelism.expert, stride: parallelism.expertTensor,
        message: format.size(of: elements), count: count))
  }
}
