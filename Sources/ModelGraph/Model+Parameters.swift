/// Parameter counts, by where they live. Derived from the same fields the operators are derived from.
extension Model {
  /// All parameters; a tied table counts once.
  package var parameterCount: Int {
    embeddingParameters + headParameters + stackParameters(decoder) + (encoder.map(stackParameters) ?? 0)
      + extraParameters
  }

  /// Parameters that take part in one token's forward pass: a mixture counts only the experts a token visits.
  package var activeParameterCount: Int {
    parameterCount - extraParameters
      - (decoder.runs + (encoder?.runs ?? [])).reduce(0) { sum, run in
        guard case .mixture(let mixture)? = run.layer.feedForward else { return sum }
        let idle = mixture.experts - mixture.expertsPerToken
        return sum + run.count * idle * mixture.expert.parameters(hidden: hidden)
      }
  }

  /// Token and position tables, with what projects or normalises them.
  package var embeddingParameters: Int {
    let width = embedding.width ?? hidden
    return vocabulary * width + embedding.learnedPositions * hidden + (width == hidden ? 0 : 2 * width * hidden)
      + (embedding.norm?.parameters(width: hidden) ?? 0)
  }

  /// The LM head, when it is not the token table again.
  package var headParameters: Int {
    (embedding.tied ? 0 : vocabulary * (embedding.width ?? hidden)) + (embedding.headBias ? vocabulary : 0)
  }

  private func stackParameters(_ stack: Stack) -> Int {
    stack.runs.reduce(stack.finalNorm?.parameters(width: hidden) ?? 0) { $0 + $1.count * parameters(of: $1.layer) }
  }

  /// Parameters of one layer.
  package func parameters(of layer: Layer) -> Int {
    layer.mixers.reduce(0) { $0 + parameters(of: $1) }
      + (layer.crossAttention.map { parameters(of: .attention($0)) } ?? 0)
      + layer.normCount * layer.norm.parameters(width: hidden)
      + (layer.feedForward.map(parameters) ?? 0)
  }

  private func parameters(of mixer: Mixer) -> Int {
    switch mixer {
    case .attention(let attention): attention.parameters(hidden: hidden)
    case .latentAttention(let latent): latent.parameters(hidden: hidden)
    case .recurrent(let recurrent):
      recurrent.projections.reduce(recurrent.extraParameters) { $0 + $1.parameters }
    case .linear(let width): hidden * width
    }
  }

  private func parameters(of feedForward: FeedForward) -> Int {
    switch feedForward {
    case .dense(let dense): dense.parameters(hidden: hidden)
    case .mixture(let mixture): mixture.parameters(hidden: hidden)
    }
  }
}

extension Attention {
  /// Dense projections, named as serving engines fuse them.
  package func projections(hidden: Int) -> [Projection] {
    let queries = queryHeads * headWidth * (outputGate ? 2 : 1)
    let keysAndValues = sharesEarlierKV ? 0 : kvHeads * (headWidth + valueWidth)
    return [
      Projection(name: "qkv_proj", inputs: hidden, outputs: queries + keysAndValues, bias: queryKeyValueBias),
      Projection(name: "o_proj", inputs: queryHeads * valueWidth, outputs: hidden, bias: outputBias),
    ]
  }

  package func parameters(hidden: Int) -> Int {
    let norms =
      switch queryKeyNorm {
      case .none: 0
      case .perHead: 2 * headWidth
      case .wholeProjection: (queryHeads + kvHeads) * headWidth
      }
    return projections(hidden: hidden).reduce(0) { $0 + $1.parameters } + norms + (sinks ? queryHeads : 0)
      + relativePositionEntries
  }
}

extension LatentAttention {
  /// Dense projections applied to every token before attention, and the output projection last.
  package func projections(hidden: Int) -> [Projection] {
    let queryOutputs = heads * (nopeWidth + ropeWidth)
    var list: [Projection] = []
    if let queryRank {
      list.append(Projection(name: "q_a_proj", inputs: hidden, outputs: queryRank, bias: bias))
      list.append(Projection(name: "q_b_proj", inputs: queryRank, outputs: queryOutputs))
    } else {
      list.append(Projection(name: "q_proj", inputs: hidden, outputs: queryOutputs))
    }
    list.append(Projection(name: "kv_a_proj", inputs: hidden, outputs: cachedWidth, bias: bias))
    list.append(Projection(name: "o_proj", inputs: heads * valueWidth, outputs: hidden, bias: bias))
    return list
  }

  /// The matrix that expands the latent to keys and values (or, absorbed, maps queries into latent space).
  package var expansion: Projection {
    Projection(name: "kv_b_proj", inputs: kvRank, outputs: heads * (nopeWidth + valueWidth))
  }

  package func parameters(hidden: Int) -> Int {
    let norms = kvRank + (queryRank ?? 0)
    let indexing = indexer.map { indexer in
      // wq_b from the query latent, one key head from hidden with its norm, one weight a head.
      (queryRank ?? hidden) * indexer.heads * indexer.headWidth + hidden * indexer.headWidth + 2 * indexer.headWidth
        + hidden * indexer.heads
    }
    return projections(hidden: hidden).reduce(expansion.parameters + norms) { $0 + $1.parameters } + (indexing ?? 0)
  }
}

extension MixtureOfExperts {
  package func parameters(hidden: Int) -> Int {
    experts * expert.parameters(hidden: hidden) + hidden * experts + routerExtraParameters
      + (shared?.parameters(hidden: hidden) ?? 0) + (sharedGate ? hidden : 0)
  }
}
