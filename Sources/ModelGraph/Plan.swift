import Quantities

/// How a model is laid out: the format of each tensor role, how many devices share the work, and how tokens
/// choose experts.
package struct Plan: Sendable, Hashable {
  package var formats: Formats
  package var parallelism: Parallelism
  package var routing: ExpertRouting
  package var weightSparsity: WeightSparsity?
  package var activationSparsity: ActivationSparsity?
  /// Prompt tokens whose widest activations are alive at once; nothing for all of a step.
  package var activationSlice: Int?
  /// Times a decode step moves the cache besides reading it, as runtimes do that join it anew with each token.
  package var cacheCopies = 0.0
  /// Whether the head runs over every token of a prompt.
  package var promptLogits = false
  /// How a library runs what serving engines fuse.
  package var kernels = LibraryKernels()

  package init(
    formats: Formats, parallelism: Parallelism = Parallelism(), routing: ExpertRouting = .uniform
  ) {
    self.formats = formats
    self.parallelism = parallelism
    self.routing = routing
  }
}

/// Number formats by tensor role.
package struct Formats: Sendable, Hashable {
  package var weights: NumberFormat
  /// Weights of routed experts, which some checkpoints quantise alone.
  package var experts: NumberFormat
  /// Format in which activations enter a projection's GEMM.
  package var activations: NumberFormat
  /// Format in which they enter the GEMMs of routed experts.
  package var expertActivations: NumberFormat
  package var kv: NumberFormat
  /// Format of the residual stream, attention arithmetic, embeddings and LM head: at least 16 bits, as serving
  /// runtimes keep them when the projections are narrower.
  package var stream: NumberFormat
  package var details = FormatDetails()
  /// Format of embeddings and LM head where it is neither the weights' nor the stream's.
  package var tables: NumberFormat?

  package init(
    weights: NumberFormat, experts: NumberFormat? = nil, activations: NumberFormat,
    expertActivations: NumberFormat? = nil, kv: NumberFormat, stream: NumberFormat? = nil, tables: NumberFormat? = nil
  ) {
    self.weights = weights
    self.experts = experts ?? weights
    self.activations = activations
    self.expertActivations = expertActivations ?? activations
    self.kv = kv
    self.stream = stream ?? (activations.bits >= 16 ? activations : .bf16)
    self.tables = tables
  }

  /// One format for everything.
  package init(all format: NumberFormat) { self.init(weights: format, activations: format, kv: format) }

  /// The format projections multiply in: the common one, or the activations' when weights are expanded to it.
  package var compute: NumberFormat { activations.arithmetic }

  /// Format of embeddings and LM head.
  package var head: NumberFormat { tables ?? (weights.bits >= 16 ? weights : stream) }

  /// How tensors lie in memory.
  package var storedWeights: StoredFormat { details.weights ?? StoredFormat(weights) }
  package var storedExperts: StoredFormat { details.experts ?? StoredFormat(experts) }
  package var storedHead: StoredFormat { details.head ?? StoredFormat(head) }
  package var storedKV: StoredFormat { details.kv ?? StoredFormat(kv) }
}

/// Degrees of parallelism. Devices = tensor x pipeline x data; experts are spread over some of tensor x data.
package struct Parallelism: Sendable, Hashable {
  package var tensor: Int
  package var pipeline: Int
  /// Devices that whole experts are spread over; 1 splits each expert like any other matrix.
  package var expert: Int
  package var data: Int

  package init(tensor: Int = 1, pipeline: Int = 1, expert: Int = 1, data: Int = 1) {
    self.tensor = tensor
    self.pipeline = pipeline
    self.expert = expert
    self.data = data
  }

  package var devices: Int { tensor * pipeline * data }

  /// Devices that work on the same layers.
  package var ranks: Int { tensor * data }

  /// The layers of each pipeline stage, in order: as many for all, those left over one each to the stages before the last,
  /// which has the head (as vLLM deals them out).
  package func stages(of layers: Int) -> [Range<Int>] {
    let left = layers % pipeline
    var first = 0
    return (0..<pipeline).map { stage in
      let takesOneMore = stage < pipeline - 1 && stage >= pipeline - 1 - left
      let count = layers / pipeline + (takesOneMore ? 1 : 0)
      defer { first += count }
      return first..<first + count
    }
  }

  /// Ways one expert's matrices are split.
  package var expertTensor: Int { expert > 1 ? tensor * data / expert : tensor }
}

/// Why a plan does not suit a model.
package enum PlanError: Error, Sendable, CustomStringConvertible {
  case indivisible(what: String, count: Int, by: String, degree: Int, valid: [Int])
  case experts(model: String)
  case expertDegree(degree: Int, devices: Int)
  case tooManyStages(layers: Int, stages: Int)

  package var description: String {
    switch self {
    case .indivisible(let what, let count, let by, let degree, let valid):
      "\(by) \(degree) does not divide the \(count) \(what); it may be \(valid.map(String.init).joined(separator: ", "))"
    case .experts(let model): "expert parallelism needs a mixture of experts, and \(model) has none"
    case .expertDegree(let degree, let devices):
      "expert parallelism \(degree) does not divide tensor x data parallelism, which is \(devices)"
    case .tooManyStages(let layers, let stages):
      "pipeline parallelism \(stages) exceeds the \(layers) layers; it may be 1 to \(layers)"
    }
  }
}

extension Plan {
  /// Checks that the degrees divide what they split.
  package func validate(for model: Model) throws(PlanError) {
    let tensor = parallelism.tensor
    for layer in model.allLayers {
      for (what, count) in layer.splitCounts where count % tensor != 0 {
        throw .indivisible(
          what: what, count: count, by: "tensor parallelism", degree: tensor, valid: divisors(of: count))
      }
    }
    let layers = model.decoder.layerCount
    guard parallelism.pipeline <= layers else {
      throw .tooManyStages(layers: layers, stages: parallelism.pipeline)
    }
    guard parallelism.expert > 1 else { return }
    guard let experts = model.expertCount else { throw .experts(model: model.name) }
    guard experts % parallelism.expert == 0 else {
      throw .indivisible(
        what: "experts", count: experts, by: "expert parallelism", degree: parallelism.expert,
        valid: divisors(of: experts).filter { $0 <= 1024 })
    }
    let devices = tensor * parallelism.data
    guard devices % parallelism.expert == 0 else {
      throw .expertDegree(degree: parallelism.expert, devices: devices)
    }
  }
}

extension Model {
  /// One of each kind of layer, encoder included.
  var allLayers: [Layer] { (encoder?.runs ?? []).map(\.layer) + decoder.runs.map(\.layer) }

  /// Experts of the first mixture, if the model has one.
  package var expertCount: Int? {
    for layer in allLayers {
      if case .mixture(let mixture)? = layer.feedForward { return mixture.experts }
    }
    return nil
  }
}

extension Layer {
  /// What tensor parallelism must divide in this layer. KV heads may be copied, so they need not divide.
  var splitCounts: [(what: String, count: Int)] {
    mixers.compactMap { mixer in
      switch mixer {
      case .attention(let attention): ("query heads", attention.queryHeads)
      case .latentAttention(let latent): ("attention heads", latent.heads)
      case .recurrent(let recurrent): ("recurrent heads", recurrent.heads)
      case .linear: nil
      }
    }
  }
}

private func divisors(of count: Int) -> [Int] { (1...max(1, min(count, 4096))).filter { count % $0 == 0 } }
