import Documents

/// What another engine made of some prompts: its greedy tokens, and the likeliest logits after each prompt.
package struct TokenReference: Sendable {
  package struct Prompt: Sendable {
    package let text: String
    package let tokens: [Int32]
    package let greedy: [Int32]
    /// The likeliest first tokens with their logits.
    package let likeliest: [(token: Int32, logit: Double)]
  }

  package let engine: String
  package let prompts: [Prompt]

  /// Reads what `Hardware/Measure/llama_tokens.py` writes.
  package static func read(path: String) throws -> TokenReference {
    try JSONDocument.read(path: path).strictObject { file in
      TokenReference(engine: try file.string("engine"), prompts: try file.optionalArray("prompts").map(prompt))
    }
  }

  private static func prompt(_ node: Node) throws -> Prompt {
    try node.strictObject { entry in
      let first = try entry.required("first").object()
      let logits = try first.optionalArray("logits").map { try $0.double(in: -1e6...1e6) }
      return Prompt(
        text: try entry.string("text"), tokens: try ids(entry, "tokens"), greedy: try ids(entry, "greedy"),
        likeliest: Array(zip(try ids(first, "tokens"), logits)))
    }
  }

  private static func ids(_ entry: ObjectReader, _ key: String) throws -> [Int32] {
    try entry.required(key).array().map { Int32(try $0.int(in: 0...Int(Int32.max))) }
  }
}

/// Greedy decoding of prompts that another engine decoded too.
package struct TokenCheck {
  package let reference: TokenReference
  /// Tokens to compare, at most those of the reference.
  package let tokens: Int

  package init(reference: TokenReference, tokens: Int = .max) {
    self.reference = reference
    self.tokens = tokens
  }

  /// How far one prompt agrees.
  package struct Outcome: Sendable {
    package let text: String
    /// Greedy tokens before the first that differs, of how many.
    package let agreeing: Int
    package let compared: Int
    /// Over the likeliest first tokens.
    package let largestDifference: Double
  }

  package func run(_ model: EngineModel, pool: WorkerPool) throws -> [Outcome] {
    try reference.prompts.map { prompt in
      let count = min(tokens, prompt.greedy.count)
      let engine = Engine(model, cacheBlocks: (prompt.tokens.count + count) / 16 + 1, pool: pool)
      let sequence = CachedSequence()
      var logits = try engine.step([Engine.Chunk(sequence, tokens: prompt.tokens)])
      let difference = prompt.likeliest.reduce(0) { max($0, abs(Double(logits[0][Int($1.token)]) - $1.logit)) }
      var sampler = Sampler.greedy
      var agreeing = 0
      // Both go on with their own token, so the first that differs ends the comparison.
      while agreeing < count {
        let token = sampler.next(logits[0])
        guard token == prompt.greedy[agreeing] else { break }
        agreeing += 1
        if agreeing < count { logits = try engine.step([Engine.Chunk(sequence, tokens: [token])]) }
      }
      return Outcome(text: prompt.text, agreeing: agreeing, compared: count, largestDifference: difference)
    }
  }
}
