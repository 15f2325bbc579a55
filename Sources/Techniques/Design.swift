import ModelGraph

/// What techniques rewrite: a model, its plan, what becomes of requests, and how tokens are decoded.
package struct Design: Sendable {
  package var model: Model
  package var plan: Plan
  package var workload = WorkloadRewrite()
  /// How tokens are drafted and verified; nothing for one at a time.
  package var drafting: Drafting?
  /// A small model that writes steps of a thought; nothing when the model writes all of them.
  package var reasoning: StepSpeculation?

  package init(model: Model, plan: Plan) {
    self.model = model
    self.plan = plan
  }
}

/// What becomes of the requests of a batch.
package struct WorkloadRewrite: Sendable, Hashable {
  /// Tokens that images add to each prompt.
  package var imageTokens = 0
  /// Factor on the tokens of an answer.
  package var outputFactor = 1.0
  /// Answers to each prompt, which share its cache.
  package var samples = 1
  /// Answers go on being added until a tree's leaves: mean share of the answer that they have in common.
  package var sharedAnswer = 0.0
  /// Questions put into one prompt, and the tokens of instructions and examples that they then share.
  package var questions = 1
  package var sharedPrompt = 0

  package init() {}

  package var isEmpty: Bool { self == WorkloadRewrite() }
}

/// Tokens drafted cheaply and verified together.
package struct Drafting: Sendable, Hashable {
  package enum Source: Sendable, Hashable {
    /// Drafts that cost the devices nothing: n-grams, earlier answers.
    case free
    /// A few of the model's own layers with a head over so many words, as EAGLE and MEDUSA have.
    case head(layers: Int, vocabulary: Int)
    /// A small model by name.
    case model(String)
  }

  package var source: Source
  /// Passes of the draft in a cycle, and tokens in each of them.
  package var depth: Int
  package var width: Int
  /// Drafted tokens the model verifies at once.
  package var verified: Int
  /// Tokens that a cycle yields on average, the model's own included.
  package var tokensPerCycle: Double

  package init(source: Source, depth: Int, width: Int = 1, verified: Int, tokensPerCycle: Double) {
    self.source = source
    self.depth = depth
    self.width = width
    self.verified = verified
    self.tokensPerCycle = tokensPerCycle
  }

  /// The equal acceptance at each depth of a chain that yields as many tokens.
  package var equalAcceptance: Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if Self.tokens(acceptance: middle, decay: 1, depth: depth) < tokensPerCycle {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }

  /// 1 + a + a(ad) + ...: the tokens of a chain whose acceptance falls by `decay` from one depth to the next.
  package static func tokens(acceptance: Double, decay: Double, depth: Int) -> Double {
    var (sum, chance, share) = (1.0, 1.0, acceptance)
    for _ in 0..<depth {
      chance *= share
      sum += chance
      share *= decay
    }
    return sum
  }
}

/// Steps of a thought written by a small model, each scored by the large one, which writes those anew that it refuses.
package struct StepSpeculation: Sendable, Hashable {
  package var model: String
  /// Share of steps that are kept.
  package var accepted: Double
  package var tokensPerStep: Int
  /// Tokens of the question with which the large model scores a step.
  package var scoringTokens: Int

  package init(model: String, accepted: Double, tokensPerStep: Int, scoringTokens: Int) {
    self.model = model
    self.accepted = accepted
    self.tokensPerStep = tokensPerStep
    self.scoringTokens = scoringTokens
  }
}

extension Model {
  /// Changes every decoder layer by its place.
  mutating func changeLayers(_ change: (Int, inout Layer) -> Void) {
    var layers = decoder.runs.flatMap { Array(repeating: $0.layer, count: $0.count) }
    for index in layers.indices { change(index, &layers[index]) }
    decoder = Stack(layers: layers, finalNorm: decoder.finalNorm)
  }

  /// Changes the cache rule of every attention layer that sees its whole context.
  /// - Parameter change: Gets the layer's place among those, and how many there are.
  /// - Returns: How many there are.
  @discardableResult
  mutating func changeCaches(_ change: (Int, Int, inout CacheRule) -> Void) -> Int {
    let count = fullAttentionLayers
    var place = 0
    changeLayers { _, layer in
      for index in layer.mixers.indices {
        switch layer.mixers[index] {
        case .attention(var attention):
          guard attention.window == nil else { continue }
          change(place, count, &attention.cache)
          layer.mixers[index] = .attention(attention)
        case .latentAttention(var latent):
          guard latent.indexer == nil else { continue }
          change(place, count, &latent.cache)
          layer.mixers[index] = .latentAttention(latent)
        case .recurrent, .linear: continue
        }
        place += 1
      }
    }
    return count
  }

  /// Attention layers that see their whole context.
  var fullAttentionLayers: Int {
    decoder.runs.reduce(0) { sum, run in
      sum + run.count
        * run.layer.mixers.count { mixer in
          switch mixer {
          case .attention(let attention): attention.window == nil
          case .latentAttention(let latent): latent.indexer == nil
          case .recurrent, .linear: false
          }
        }
    }
  }

  /// Whether some layer attends to cached tokens.
  var hasCache: Bool {
    decoder.runs.contains { run in
      run.layer.mixers.contains { mixer in
        switch mixer {
        case .attention, .latentAttention: true
        case .recurrent, .linear: false
        }
      }
    }
  }
}
