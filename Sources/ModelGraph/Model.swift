import Quantities

/// A language model's architecture: everything its cost depends on, nothing its quality depends on.
///
/// Built by ``ModelReader`` from a Hugging Face `config.json`. Widths and counts are elements, not bytes.
package struct Model: Sendable, Equatable {
  /// The name it was asked for by.
  package var name: String
  /// `model_type` of the configuration.
  package var architecture: String
  package var vocabulary: Int
  /// Width of the residual stream.
  package var hidden: Int
  package var embedding: Embedding
  /// Encoder of an encoder-decoder model; runs once over the input.
  package var encoder: Stack?
  package var decoder: Stack
  /// Longest context the configuration names, in tokens.
  package var contextLimit: Int?
  /// Format the checkpoint is published in.
  package var publishedFormat: NumberFormat
  /// Formats of its projections, when the checkpoint is quantised.
  package var quantization: Quantization?
  /// Parameters outside layers, embeddings and heads (multi-token-prediction modules, vision towers that the
  /// configuration describes ...), loaded but not used by plain decoding.
  package var extraParameters: Int
  /// What turns images into tokens before the first layer; part of the cost of prompts.
  package var imageEncoder: ImageEncoder?

  package init(
    name: String, architecture: String, vocabulary: Int, hidden: Int, embedding: Embedding = Embedding(),
    encoder: Stack? = nil, decoder: Stack, contextLimit: Int? = nil, publishedFormat: NumberFormat = .bf16,
    extraParameters: Int = 0
  ) {
    self.name = name
    self.architecture = architecture
    self.vocabulary = vocabulary
    self.hidden = hidden
    self.embedding = embedding
    self.encoder = encoder
    self.decoder = decoder
    self.contextLimit = contextLimit
    self.publishedFormat = publishedFormat
    self.extraParameters = extraParameters
  }
}

/// An encoder that every prompt's image passes once.
package struct ImageEncoder: Sendable, Equatable {
  package var parameters: Int
  /// Tokens the encoder works on, for each prompt.
  package var tokens: Int

  package init(parameters: Int, tokens: Int) {
    self.parameters = parameters
    self.tokens = tokens
  }
}

/// Token and position tables, and the head that turns the last hidden state into logits.
package struct Embedding: Sendable, Equatable {
  /// Whether the LM head reuses the token table.
  package var tied = false
  /// Width of the token table when it differs from the model's (OPT-350m); projected in and out.
  package var width: Int?
  /// Rows of a learned position table; 0 for rotary, ALiBi and relative positions.
  package var learnedPositions = 0
  /// Whether the LM head has a bias (GPT-J, Phi-1).
  package var headBias = false
  /// Whether a norm follows the token table (BLOOM).
  package var norm: Norm?

  package init(
    tied: Bool = false, width: Int? = nil, learnedPositions: Int = 0, headBias: Bool = false, norm: Norm? = nil
  ) {
    self.tied = tied
    self.width = width
    self.learnedPositions = learnedPositions
    self.headBias = headBias
    self.norm = norm
  }
}

/// Layers in order, run-length coded: equal neighbours share one entry.
package struct Stack: Sendable, Equatable {
  package var runs: [LayerRun]
  package var finalNorm: Norm?

  package init(runs: [LayerRun], finalNorm: Norm? = nil) {
    self.runs = runs
    self.finalNorm = finalNorm
  }

  /// Builds the runs from one entry a layer.
  package init(layers: [Layer], finalNorm: Norm? = nil) {
    var runs: [LayerRun] = []
    for layer in layers {
      if runs.last?.layer == layer {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(LayerRun(layer: layer, count: 1))
      }
    }
    self.init(runs: runs, finalNorm: finalNorm)
  }

  package var layerCount: Int { runs.reduce(0) { $0 + $1.count } }
}

package struct LayerRun: Sendable, Equatable {
  package var layer: Layer
  package var count: Int

  package init(layer: Layer, count: Int) {
    self.layer = layer
    self.count = count
  }
}

/// One block: something that mixes tokens, something that works on each token, and norms around them.
package struct Layer: Sendable, Equatable {
  /// Token mixers in order. Usually one; empty for a layer without attention; two for parallel hybrid heads.
  package var mixers: [Mixer]
  /// Attention over the encoder's output (encoder-decoder models).
  package var crossAttention: Attention?
  package var feedForward: FeedForward?
  /// Norms over the hidden width in this layer, all alike.
  package var norm: Norm
  package var normCount: Int
  /// Whether mixer and feed-forward read the same input and are added together (GPT-J, NeoX, Falcon), which needs one
  /// all-reduce instead of two under tensor parallelism.
  package var parallelResidual: Bool
  /// Phases that run the mixers and the feed-forward network; their weights stay loaded.
  package var mixerPhases = Phases.both
  package var feedForwardPhases = Phases.both
  /// Prompt tokens of each sequence that were taken out before this layer.
  package var droppedTokens = 0
  /// Times that a prompt passes it, where its keys and values come from a later layer and are approached step by step.
  package var promptPasses = 1
  /// Formats of this layer, where they are not the plan's.
  package var formats: Formats?

  package init(
    mixers: [Mixer], crossAttention: Attention? = nil, feedForward: FeedForward?, norm: Norm, normCount: Int = 2,
    parallelResidual: Bool = false
  ) {
    self.mixers = mixers
    self.crossAttention = crossAttention
    self.feedForward = feedForward
    self.norm = norm
    self.normCount = normCount
    self.parallelResidual = parallelResidual
  }
}

/// RMSNorm has one weight a channel, LayerNorm a weight and a bias, and some models' norms have none.
package enum Norm: Sendable, Equatable {
  case rms, layer, layerWithoutBias, none

  package func parameters(width: Int) -> Int {
    switch self {
    case .rms, .layerWithoutBias: width
    case .layer: 2 * width
    case .none: 0
    }
  }
}

package enum Mixer: Sendable, Equatable {
  case attention(Attention)
  case latentAttention(LatentAttention)
  case recurrent(Recurrent)
  /// A single square-ish linear map in place of attention (Nemotron NAS models).
  case linear(outputWidth: Int)
}

/// Softmax attention with grouped queries.
package struct Attention: Sendable, Equatable {
  package var queryHeads: Int
  package var kvHeads: Int
  /// Width of a query and key head.
  package var headWidth: Int
  /// Width of a value head; usually the same.
  package var valueWidth: Int
  /// Tokens a query can see, itself included; nothing means all.
  package var window: Int?
  package var queryKeyValueBias: Bool
  package var outputBias: Bool
  /// Norm on queries and keys: over each head, or over the whole projection (OLMo 2, MiniMax-M2).
  package var queryKeyNorm: QueryKeyNorm
  /// Whether the query projection also makes an output gate (Qwen3-Next).
  package var outputGate: Bool
  /// Learned per-head sink logits (gpt-oss).
  package var sinks: Bool
  /// Whether keys and values come from an earlier layer, so that this one neither projects nor stores them.
  package var sharesEarlierKV: Bool
  /// Whether rotary embedding is applied.
  package var rotary: Bool
  /// Entries of a learned relative-position table held by this layer (T5's first layer).
  package var relativePositionEntries: Int
  package var cache = CacheRule.full

  package init(
    queryHeads: Int, kvHeads: Int, headWidth: Int, valueWidth: Int? = nil, window: Int? = nil,
    queryKeyValueBias: Bool = false, outputBias: Bool = false, queryKeyNorm: QueryKeyNorm = .none,
    outputGate: Bool = false, sinks: Bool = false, sharesEarlierKV: Bool = false, rotary: Bool = true,
    relativePositionEntries: Int = 0
  ) {
    self.queryHeads = queryHeads
    self.kvHeads = kvHeads
    self.headWidth = headWidth
    self.valueWidth = valueWidth ?? headWidth
    self.window = window
    self.queryKeyValueBias = queryKeyValueBias
    self.outputBias = outputBias
    self.queryKeyNorm = queryKeyNorm
    self.outputGate = outputGate
    self.sinks = sinks
    self.sharesEarlierKV = sharesEarlierKV
    self.rotary = rotary
    self.relativePositionEntries = relativePositionEntries
  }
}

package enum QueryKeyNorm: Sendable, Equatable {
  case none, perHead, wholeProjection
}

/// Multi-head latent attention (DeepSeek): keys and values compressed to one shared latent and a rotary key.
package struct LatentAttention: Sendable, Equatable {
  package var heads: Int
  /// Rank of the query compression; nothing means a direct projection.
  package var queryRank: Int?
  package var kvRank: Int
  /// Width of a head's part without and with rotary.
  package var nopeWidth: Int
  package var ropeWidth: Int
  package var valueWidth: Int
  package var bias: Bool
  /// Sparse selection of cached tokens (DeepSeek V3.2), when the configuration has it.
  package var indexer: Indexer?
  package var cache = CacheRule.full
  /// Rotary keys that are cached: one for all heads, or one a head where a model was converted to latents.
  package var ropeHeads = 1

  /// Elements that a token adds to the cache.
  package var cachedWidth: Int { kvRank + ropeWidth * ropeHeads }

  package struct Indexer: Sendable, Equatable {
    package var heads: Int
    package var headWidth: Int
    /// Tokens each query attends to.
    package var selected: Int

    package init(heads: Int, headWidth: Int, selected: Int) {
      self.heads = heads
      self.headWidth = headWidth
      self.selected = selected
    }
  }

  package init(
    heads: Int, queryRank: Int?, kvRank: Int, nopeWidth: Int, ropeWidth: Int, valueWidth: Int, bias: Bool = false,
    indexer: Indexer? = nil
  ) {
    self.heads = heads
    self.queryRank = queryRank
    self.kvRank = kvRank
    self.nopeWidth = nopeWidth
    self.ropeWidth = ropeWidth
    self.valueWidth = valueWidth
    self.bias = bias
    self.indexer = indexer
  }
}

/// A token mixer with a state of constant size: Mamba, Mamba-2, mLSTM, gated delta net, lightning attention.
///
/// The families differ in how they scan, but cost the same things: some projections, a state that is read and
/// written for every token, and arithmetic on it.
package struct Recurrent: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case mamba, mamba2, mlstm, gatedDelta, lightning
  }

  package var kind: Kind
  /// Dense projections of the hidden state, in and out.
  package var projections: [Projection]
  /// Elements of recurrent state a sequence holds in this layer, convolution window included.
  package var stateElements: Int
  /// Arithmetic of the scan for one token, in FLOP, projections excluded, in its recurrent (decode) form.
  package var scanFLOPsPerToken: Int
  /// Parameters that are no projection: convolution kernels, decay and gate vectors, inner norms.
  package var extraParameters: Int
  /// Heads the scan splits into, which tensor parallelism divides.
  package var heads: Int
  /// Tokens handled at once in prefill.
  package var chunk: Int
  /// Format of the state when the architecture fixes it; the activation format otherwise.
  package var stateFormat: NumberFormat?

  package init(
    kind: Kind, projections: [Projection], stateElements: Int, scanFLOPsPerToken: Int, extraParameters: Int,
    heads: Int, chunk: Int, stateFormat: NumberFormat? = nil
  ) {
    self.kind = kind
    self.projections = projections
    self.stateElements = stateElements
    self.scanFLOPsPerToken = scanFLOPsPerToken
    self.extraParameters = extraParameters
    self.heads = heads
    self.chunk = chunk
    self.stateFormat = stateFormat
  }
}

/// A dense linear map applied to every token.
package struct Projection: Sendable, Equatable {
  package var name: String
  package var inputs: Int
  package var outputs: Int
  package var bias: Bool

  package init(name: String, inputs: Int, outputs: Int, bias: Bool = false) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.bias = bias
  }

  package var parameters: Int { inputs * outputs + (bias ? outputs : 0) }
}

package enum FeedForward: Sendable, Equatable {
  case dense(DenseFeedForward)
  case mixture(MixtureOfExperts)
}

package struct DenseFeedForward: Sendable, Equatable {
  /// Intermediate width.
  package var width: Int
  /// Whether a third, gating projection exists (SwiGLU, GeGLU).
  package var gated: Bool
  package var bias: Bool
  package init(width: Int, gated: Bool, bias: Bool = false) {
    self.width = width
    self.gated = gated
    self.bias = bias
  }

  package func parameters(hidden: Int) -> Int {
    let up = (gated ? 2 : 1) * (hidden * width + (bias ? width : 0))
    return up + width * hidden + (bias ? hidden : 0)
  }
}

/// Experts of which each token visits a few.
package struct MixtureOfExperts: Sendable, Equatable {
  package var experts: Int
  package var expertsPerToken: Int
  /// Intermediate width of one expert.
  package var expertWidth: Int
  package var gated: Bool
  package var expertBias: Bool
  /// A dense network every token visits beside its experts: shared experts (their total width) or a residual.
  package var shared: DenseFeedForward?
  /// Whether a learned scalar gates the shared expert (Qwen2-MoE).
  package var sharedGate: Bool
  /// Parameters of the router beside its matrix: biases, correction terms.
  package var routerExtraParameters: Int
  /// Device groups that routing is limited to (DeepSeek, Pangu), for information.
  package var groups: Int?

  package init(
    experts: Int, expertsPerToken: Int, expertWidth: Int, gated: Bool = true, expertBias: Bool = false,
    shared: DenseFeedForward? = nil, sharedGate: Bool = false, routerExtraParameters: Int = 0, groups: Int? = nil
  ) {
    self.experts = experts
    self.expertsPerToken = expertsPerToken
    self.expertWidth = expertWidth
    self.gated = gated
    self.expertBias = expertBias
    self.shared = shared
    self.sharedGate = sharedGate
    self.routerExtraParameters = routerExtraParameters
    self.groups = groups
  }

  /// One expert's network.
  package var expert: DenseFeedForward { DenseFeedForward(width: expertWidth, gated: gated, bias: expertBias) }
}

extension Model {
  /// A draft of the model's own shape: a map that joins what it is given, some of its first attention layers, and a head
  /// over so many words.
  package func draftHead(layers: Int, vocabulary words: Int) -> Model {
    var draft = self
    draft.name = name + "-draft"
    draft.vocabulary = words > 0 ? min(words, vocabulary) : vocabulary
    draft.extraParameters = 0
    draft.imageEncoder = nil
    var layer = decoder.runs.first { !$0.layer.mixers.isEmpty }?.layer ?? decoder.runs[0].layer
    (layer.droppedTokens, layer.mixerPhases, layer.feedForwardPhases, layer.formats) = (0, .both, .both, nil)
    var joining = layer
    joining.mixers.insert(.linear(outputWidth: 3 * hidden), at: 0)
    draft.decoder = Stack(
      layers: [joining] + Array(repeating: layer, count: layers - 1), finalNorm: decoder.finalNorm)
    return draft
  }
}
