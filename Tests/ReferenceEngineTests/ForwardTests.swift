import Testing

@testable import ReferenceEngine

/// The engine against a NumPy forward pass written separately.
@Suite(.enabled(if: NumPyModel.isAvailable, "python3 with NumPy is not installed"))
struct ForwardTests {
  /// Logits here are of size one. The script keeps clear of activations that may be rounded either way; scales are
  /// rounded to f16, which may still turn in the last place.
  private static func tolerance(_ format: WeightFormat) -> Float { format.isInteger ? 1e-3 : 2e-5 }

  private static let cases = NumPyModel.Kind.allCases.flatMap { kind in WeightFormat.allCases.map { (kind, $0) } }

  @Test(arguments: cases)
  func `logits of a checkpoint agree with NumPy at every position`(kind: NumPyModel.Kind, format: WeightFormat) throws {
    let given = try #require(NumPyModel.made(kind))
    try compare(given.checkpoint(format), given, format)
  }

  @Test(arguments: cases.filter { $0.1 != .int8 })
  func `logits of a GGUF file agree with NumPy at every position`(kind: NumPyModel.Kind, format: WeightFormat) throws {
    let given = try #require(NumPyModel.made(kind))
    let model = try given.gguf(format)
    #expect(model.formats.weights == format.numbers)
    try compare(model, given, format)
  }

  private func compare(_ model: EngineModel, _ given: NumPyModel, _ format: WeightFormat) throws {
    let expected = try given.logits(format)
    for instructions in InstructionSet.allCases where instructions.isSupported {
      let engine = Engine(model, cacheBlocks: 8, pool: try WorkerPool(instructions: instructions))
      let found = try engine.logits(given.tokens(format))
      let worst = zip(found, expected).map(distance).max() ?? .infinity
      #expect(worst < Self.tolerance(format), "\(instructions)")
    }
  }

  @Test(arguments: cases.filter { $0.1 != .f32 })
  func `a format other than the reference's own gives other logits`(
    kind: NumPyModel.Kind, format: WeightFormat
  ) throws {
    // What the comparison above would not notice, it could not test.
    let given = try #require(NumPyModel.made(kind))
    let engine = Engine(try given.checkpoint(.f32), cacheBlocks: 8, pool: try WorkerPool())
    let differences = zip(try engine.logits(given.tokens(format)), try given.logits(format)).map(distance)
    #expect((differences.max() ?? 0) > 3e-3)
  }
}

/// What does not change a result changes no bit of it.
@Suite struct InvarianceTests {
  static let configuration = """
    {"model_type": "MODEL", "hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 6,
     "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 160, "vocab_size": 101,
     "num_local_experts": 5, "num_experts_per_tok": 2, "max_position_embeddings": 512, "torch_dtype": "float32"}
    """

  private static let cases = ["llama", "mixtral"].flatMap { type in
    WeightFormat.allCases.flatMap { format in
      InstructionSet.allCases.filter(\.isSupported).map { (type, format, $0) }
    }
  }

  private func model(_ type: String, _ format: WeightFormat) throws -> EngineModel {
    try RandomModel.make(
      Self.configuration.replacing("MODEL", with: type), .init(projections: format, tables: format))
  }

  private static let prompts: [[Int32]] = [37, 5, 16, 1, 50].enumerated().map { index, count in
    (0..<Int32(count)).map { ($0 * 7 + Int32(index) * 13) % 101 }
  }

  @Test(arguments: cases)
  func `sequences in one step give what each gives alone`(
    type: String, format: WeightFormat, instructions: InstructionSet
  ) throws {
    let model = try model(type, format)
    let pool = try WorkerPool(instructions: instructions)
    let together = Engine(model, cacheBlocks: 40, pool: pool)
    let sequences = Self.prompts.map { _ in CachedSequence() }
    let first = try together.step(zip(sequences, Self.prompts).map { Engine.Chunk($0, tokens: $1) }).map { Array($0) }
    let second = try together.step(sequences.map { Engine.Chunk($0, tokens: [7]) }).map { Array($0) }
    for (index, prompt) in Self.prompts.enumerated() {
      let alone = Engine(model, cacheBlocks: 40, pool: pool)
      let found = try alone.logits(prompt + [7], steps: [prompt.count, 1])
      #expect(found == [first[index], second[index]])
    }
  }

  @Test(arguments: cases)
  func `a prompt in chunks gives what it gives whole, and blocks may lie anywhere`(
    type: String, format: WeightFormat, instructions: InstructionSet
  ) throws {
    let model = try model(type, format)
    let pool = try WorkerPool(instructions: instructions)
    let prompt = Self.prompts[4]
    let whole = try Engine(model, cacheBlocks: 4, pool: pool).logits(prompt, steps: [50])
    let chunked = Engine(model, cacheBlocks: 9, pool: pool, blockOrder: [3, 8, 1, 0, 5, 2, 7, 4, 6])
    #expect(try chunked.logits(prompt, steps: [3, 16, 30, 1]).last == whole.last)
    #expect(try Engine(model, cacheBlocks: 4, pool: pool).logits(prompt).last == whole.last)
  }

  @Test(arguments: [2, 3])
  func `threads change no bit`(threads: Int) throws {
    let model = try model("mixtral", .q4One)
    let one = try Engine(model, cacheBlocks: 8, pool: try WorkerPool()).logits(Self.prompts[0], steps: [30, 7])
    let many = try Engine(model, cacheBlocks: 8, pool: try WorkerPool(threads: threads))
      .logits(Self.prompts[0], steps: [30, 7])
    #expect(one == many)
  }

  @Test func `instruction sets agree to rounding`() throws {
    let model = try model("llama", .f32)
    let results = try InstructionSet.allCases.filter(\.isSupported).map {
      try Engine(model, cacheBlocks: 8, pool: try WorkerPool(instructions: $0)).logits(Self.prompts[0], steps: [37])[0]
    }
    for result in results { #expect(distance(result, results[0]) < 1e-4) }
  }

  @Test func `blocks come back, and what was in them does not matter`() throws {
    let model = try model("llama", .f32)
    let engine = Engine(model, cacheBlocks: 4, pool: try WorkerPool())
    let sequence = CachedSequence()
    let first = try engine.logits(Self.prompts[4], steps: [50], sequence: sequence)
    #expect(engine.cache.freeBlocks == 0)
    engine.cache.release(sequence)
    #expect(engine.cache.freeBlocks == 4)
    _ = try engine.logits(Self.prompts[0], steps: [37], sequence: sequence)
    engine.cache.release(sequence)
    #expect(try engine.logits(Self.prompts[4], steps: [50], sequence: sequence) == first)
  }

  @Test func `memory taken beforehand changes no bit`() throws {
    let model = try model("mixtral", .q8Zero)
    let plain = try Engine(model, cacheBlocks: 8, pool: try WorkerPool()).logits(Self.prompts[0], steps: [37])
    let ready = Engine(model, cacheBlocks: 8, pool: try WorkerPool())
    ready.reserve(64)
    #expect(try ready.logits(Self.prompts[0], steps: [37]) == plain)
  }

  @Test func `what cannot run is refused and changes nothing`() throws {
    let model = try model("llama", .f32)
    let engine = Engine(model, cacheBlocks: 2, pool: try WorkerPool())
    let sequence = CachedSequence()
    #expect(throws: EngineError.self) {
      try engine.step([Engine.Chunk(sequence, tokens: Array(repeating: 1, count: 33))])
    }
    #expect(throws: EngineError.self) { try engine.step([Engine.Chunk(sequence, tokens: [101])]) }
    #expect(throws: EngineError.self) { try engine.step([Engine.Chunk(sequence, tokens: [-1])]) }
    #expect(throws: EngineError.self) { try engine.step([Engine.Chunk(sequence, tokens: [])]) }
    #expect(engine.cache.freeBlocks == 2 && sequence.length == 0)
    #expect(throws: EngineError.self) { _ = try WorkerPool(threads: 0) }
  }
}
