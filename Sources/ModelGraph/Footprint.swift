import Quantities

/// Bytes a model under a plan keeps in the main memory of its fullest device.
package struct Footprint: Sendable {
  /// Weights, embeddings and head.
  package let weights: Bytes
  /// KV cache one more token of context costs, for layers that keep every token.
  package let kvPerToken: Bytes
  /// KV cache of windowed layers for one more token, and their window, by span lane 1...3.
  package let windowedKVPerToken: [(window: Int, size: Bytes)]
  /// Recurrent state of one sequence.
  package let statePerSequence: Bytes
  /// KV cache that a sequence does not have, because some of its tokens never reach the later layers.
  package let droppedPerSequence: Bytes

  /// KV cache and state of one sequence of so many tokens.
  package func sequence(tokens: Int) -> Bytes {
    let full = max(.zero, kvPerToken * Double(tokens) - droppedPerSequence)
    return windowedKVPerToken.reduce(full + statePerSequence) { sum, span in
      sum + span.size * Double(min(tokens, span.window))
    }
  }

  /// This and another model's, side by side in one memory.
  package func adding(_ other: Footprint) -> Footprint {
    Footprint(
      weights: weights + other.weights, kvPerToken: kvPerToken + other.kvPerToken,
      windowedKVPerToken: windowedKVPerToken + other.windowedKVPerToken,
      statePerSequence: statePerSequence + other.statePerSequence,
      droppedPerSequence: droppedPerSequence + other.droppedPerSequence)
  }

  /// What a runtime that keeps every token in every layer reserves for one token.
  package var kvPerTokenEveryLayer: Bytes { windowedKVPerToken.reduce(kvPerToken) { $0 + $1.size } }
}

/// Weights of one device, by what they are.
package struct WeightParts: Sendable, Equatable {
  /// Of the layers, routed experts left out.
  package var dense: Bytes
  package var experts: Bytes
  /// Token table and head.
  package var tables: Bytes
}

extension OperatorGraph {
  /// The memory one device needs; with a pipeline, the device with the most layers.
  package var footprint: Footprint {
    let depth = Double(model.decoder.layerCount.dividedUp(by: parallelism.pipeline)) / Double(model.decoder.layerCount)
    var full = Bytes.zero
    var windowed = [Bytes](repeating: .zero, count: 4)
    var state = Bytes.zero
    var dropped = Bytes.zero
    func add(_ rule: CacheRule, window: Int?, elements: Double, count: Double) {
      let weights = spans.weights(rule.kept, within: window)
      let size = formats.storedKV.size(of: elements) * count
      full += size * weights[0]
      for lane in 1..<4 { windowed[lane] += size * weights[lane] }
      guard let recent = rule.recent else { return }
      windowed[spans.lane(of: recent)] += Bytes(
        elements * count * max(0, formats.stream.bits - formats.storedKV.bits) / 8)
    }
    for run in model.decoder.runs {
      let before = full
      for mixer in run.layer.mixers where run.layer.mixerPhases.decode {
        let count = Double(run.count) * depth
        switch mixer {
        case .attention(let attention):
          add(attention.cache, window: attention.window, elements: cachedElements(attention), count: count)
        case .latentAttention(let latent):
          add(latent.cache, window: nil, elements: Double(latent.cachedWidth), count: count)
          if let indexer = latent.indexer { full += NumberFormat.fp8.size(of: Double(indexer.headWidth)) * count }
        case .recurrent(let recurrent):
          let format = recurrent.stateFormat ?? formats.stream
          state += format.size(of: Double(recurrent.stateElements.dividedUp(by: parallelism.tensor))) * count
        case .linear: break
        }
      }
      dropped += (full - before) * Double(run.layer.droppedTokens)
    }
    return Footprint(
      weights: weightBytes(depth: depth), kvPerToken: full,
      windowedKVPerToken: (1..<4).filter { windowed[$0] > .zero }.map { (spans.windows[$0], windowed[$0]) },
      statePerSequence: state, droppedPerSequence: dropped)
  }

  /// Elements that a token adds to a layer's cache on one device.
  private func cachedElements(_ attention: Attention) -> Double {
    guard !attention.sharesEarlierKV else { return 0 }
    let split = AttentionSplit(attention, tensor: parallelism.tensor)
    return Double(split.kvHeads * (attention.headWidth + attention.valueWidth))
  }

  /// Weights of one device: experts are spread or split, everything else is split by tensor parallelism.
  private func weightBytes(depth: Double) -> Bytes {
    let parts = weightParts
    return (parts.dense + parts.experts) * depth + parts.tables
  }

  /// Weights of one device by what they are; with a pipeline, layers are those of all stages together.
  package var weightParts: WeightParts {
    var parts = WeightParts(dense: .zero, experts: .zero, tables: .zero)
    for run in (model.encoder?.runs ?? []) + model.decoder.runs { add(run, to: &parts) }
    let tables = Double(model.embeddingParameters + model.headParameters)
    // The first stage holds the token table and the last the head: with a pipeline they are on unlike devices.
    let tablesHere =
      parallelism.pipeline > 1 ? max(Double(model.embeddingParameters), Double(model.headParameters)) : tables
    let images = Double(model.imageEncoder?.parameters ?? 0)
    parts.tables = formats.storedHead.size(of: (tablesHere + images) / Double(parallelism.tensor))
    return parts
  }

  /// Adds some equal layers, in their own formats where they have any.
  private func add(_ run: LayerRun, to parts: inout WeightParts) {
    let formats = run.layer.formats ?? self.formats
    let all = Double(run.count * model.parameters(of: run.layer))
    let tensor = Double(parallelism.tensor)
    var expert = 0.0
    var network = 0.0
    switch run.layer.feedForward {
    case .mixture(let mixture)?:
      expert = Double(run.count * mixture.experts * mixture.expert.parameters(hidden: hidden))
    case .dense(let dense)?: network = Double(run.count * dense.parameters(hidden: hidden))
    case nil: break
    }
    let copied = Double(run.count) * copiedParameters(run.layer) * (1 - 1 / tensor)
    let mixing = formats.storedWeights.size(of: (all - expert - network) / tensor + copied)
    parts.dense +=
      pruned(mixing, formats.storedWeights, inNetwork: false)
      + pruned(formats.storedWeights.size(of: network / tensor), formats.storedWeights, inNetwork: true)
    parts.experts += pruned(
      formats.storedExperts.size(of: expert / Double(parallelism.expert * parallelism.expertTensor)),
      formats.storedExperts, inNetwork: true)
  }

  private func pruned(_ size: Bytes, _ stored: StoredFormat, inNetwork: Bool) -> Bytes {
    guard let sparse = plan.weightSparsity, inNetwork || sparse.scope == .all else { return size }
    return size * (sparse.density * (stored.bits + sparse.indexBits) / stored.bits)
  }

  /// Parameters that every device of a tensor-parallel group holds whole: latent down-projections, the router, linear
  /// mixers, and the keys and values of heads that are copied because there are fewer than devices.
  private func copiedParameters(_ layer: Layer) -> Double {
    var parameters = 0.0
    for mixer in layer.mixers {
      switch mixer {
      case .attention(let attention):
        guard !attention.sharesEarlierKV, attention.kvHeads < parallelism.tensor else { continue }
        // Each device holds one head; spread evenly it would hold a part of one.
        let width = hidden * (attention.headWidth + attention.valueWidth)
        parameters += Double(width * (parallelism.tensor - attention.kvHeads)) / Double(max(1, parallelism.tensor - 1))
      case .latentAttention(let latent):
        parameters += Double(hidden * (latent.cachedWidth + (latent.queryRank ?? 0)))
      case .linear(let width): parameters += Double(hidden * width)
      case .recurrent: break
      }
    }
    if case .mixture(let mixture)? = layer.feedForward { parameters += Double(hidden * mixture.experts) }
    return parameters
  }

  /// Activations alive at once while a step of so many tokens runs: the stream twice and the widest intermediate,
  /// plus the logits of the sampled tokens in fp32.
  package func liveActivations(tokens: Int, sampled: Int) -> Bytes {
    var widest = 0
    for layer in model.allLayers { widest = max(widest, widestIntermediate(layer)) }
    let stream = formats.stream.size(of: Double(2 * hidden))
    let wide = formats.stream.size(of: Double(widest))
    let slice = min(tokens, plan.activationSlice ?? tokens)
    // Logits that are sampled from are widened; those of a whole prompt are not.
    let words = Double(model.vocabulary.dividedUp(by: parallelism.tensor))
    let logits =
      plan.promptLogits
      ? formats.stream.size(of: Double(slice) * words) : NumberFormat.fp32.size(of: Double(sampled) * words)
    return stream * Double(tokens) + wide * Double(slice) + logits
  }

  private func widestIntermediate(_ layer: Layer) -> Int {
    let tensor = parallelism.tensor
    var widest = 0
    for mixer in layer.mixers {
      switch mixer {
      case .attention(let attention):
        let split = AttentionSplit(attention, tensor: tensor)
        let keys = split.kvHeads * (attention.headWidth + attention.valueWidth)
        widest = max(widest, split.queryHeads * (attention.headWidth + attention.valueWidth) + keys)
      case .latentAttention(let latent):
        let perHead = 2 * (latent.nopeWidth + latent.ropeWidth) + 2 * latent.valueWidth
        widest = max(widest, latent.heads / tensor * perHead)
      case .recurrent(let recurrent):
        widest = max(widest, recurrent.projections.reduce(0) { $0 + $1.outputs }.dividedUp(by: tensor))
      case .linear(let width): widest = max(widest, width)
      }
    }
    switch layer.feedForward {
    case .dense(let dense): return max(widest, (dense.gated ? 3 : 2) * dense.width.dividedUp(by: tensor))
    case .mixture(let mixture):
      let width = mixture.expertWidth.dividedUp(by: parallelism.expertTensor)
      return max(widest, mixture.expertsPerToken * ((mixture.gated ? 3 : 2) * width + hidden))
    case nil: return widest
    }
  }
}
