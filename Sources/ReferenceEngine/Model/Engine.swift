import CKernels
import ModelGraph

/// Runs steps of a model: any mix of prompt chunks and decodes.
///
/// ```swift
/// let (model, tokenizer) = try EngineModel.gguf(path: "model.gguf")
/// let engine = try Engine(model, cacheBlocks: 64)
/// let sequence = CachedSequence()
/// let logits = try engine.step([Chunk(sequence, tokens: tokenizer.encode("Once upon"))])
/// ```
///
/// Results do not depend on what else is in a step, on how a prompt is cut into chunks, or on where cache blocks lie.
package final class Engine {
  package let model: EngineModel
  package let cache: CachePool
  package let pool: WorkerPool
  package var meter = WorkMeter()
  let rotary: (cosines: FloatBuffer, sines: FloatBuffer)
  /// Buffers of the largest step so far.
  var room = StepRoom()
  /// When the operator before ended.
  private var moment = 0.0

  /// - Parameter cacheBlocks: Blocks of 16 tokens in the pool.
  package init(
    _ model: EngineModel, cacheBlocks: Int, pool: WorkerPool, blockOrder: [Int32]? = nil
  ) {
    self.model = model
    self.pool = pool
    cache = CachePool(model.shape, blocks: cacheBlocks, order: blockOrder)
    let positions = min(model.shape.contextLimit, cacheBlocks * cache.blockTokens)
    rotary = model.shape.rotary.tables(positions: positions, headWidth: model.shape.attention.headWidth)
  }

  /// Tokens of one sequence in a step.
  package struct Chunk {
    package let sequence: CachedSequence
    package let tokens: [Int32]
    /// Whether the last token's logits are wanted.
    package let wantsLogits: Bool

    package init(_ sequence: CachedSequence, tokens: [Int32], wantsLogits: Bool = true) {
      self.sequence = sequence
      self.tokens = tokens
      self.wantsLogits = wantsLogits
    }

    /// Whether it continues a sequence by one token.
    var isDecode: Bool { tokens.count == 1 && sequence.length > 0 }
  }

  /// Runs one step and adds its tokens to the sequences' caches.
  /// - Returns: Logits of each chunk that wants them, in order of the chunks; valid until the next step.
  /// - Throws: ``EngineError``, with nothing changed.
  package func step(_ chunks: [Chunk]) throws(EngineError) -> [UnsafeMutableBufferPointer<Float>] {
    let layout = try admit(chunks)
    room.prepare(layout, model.shape)
    moment = EngineClock.wall.now
    embed(layout)
    var delta: UnsafeMutablePointer<Float>?
    for index in model.layers.indices {
      let layer = model.layers[index]
      addNorm(.norm, delta, layer.attentionNorm, layout)
      attend(index, layer, layout)
      addNorm(.norm, room.delta.start, layer.feedForwardNorm, layout)
      feedForward(layer, layout)
      delta = room.delta.start
    }
    addNorm(.finalNorm, delta, model.finalNorm, layout)
    let logits = project(layout)
    for chunk in chunks { chunk.sequence.length += chunk.tokens.count }
    return logits
  }

  /// Takes memory for steps of so many tokens with logits of one each, so that no later step waits for it.
  package func reserve(_ tokens: Int) { room.reserve(tokens, model.shape) }

  /// Takes the cache for so many tokens as computed, whatever is in it: for measurements of long contexts.
  package func pretend(_ sequence: CachedSequence, tokens: Int) throws(EngineError) {
    let needed = cache.blocksNeeded(sequence, tokens: tokens)
    guard cache.reserve(sequence, tokens: tokens) else {
      throw .outOfBlocks(needed: needed, free: cache.freeBlocks)
    }
    sequence.length += tokens
  }

  // MARK: Admission

  private func admit(_ chunks: [Chunk]) throws(EngineError) -> StepLayout {
    var needed = 0
    for chunk in chunks {
      guard !chunk.tokens.isEmpty else { throw .emptyChunk }
      let end = chunk.sequence.length + chunk.tokens.count
      let limit = rotary.cosines.count / (model.shape.attention.headWidth / 2)
      guard end <= limit else { throw .contextTooLong(tokens: end, limit: limit) }
      for token in chunk.tokens where token < 0 || Int(token) >= model.shape.vocabulary {
        throw .token(token, vocabulary: model.shape.vocabulary)
      }
      needed += cache.blocksNeeded(chunk.sequence, tokens: chunk.tokens.count)
    }
    guard needed <= cache.freeBlocks else { throw .outOfBlocks(needed: needed, free: cache.freeBlocks) }
    for chunk in chunks { _ = cache.reserve(chunk.sequence, tokens: chunk.tokens.count) }
    return StepLayout(chunks)
  }

  // MARK: Measuring

  /// Runs an operator and notes what it did. Its time begins where the one before ended, so that times add up to the
  /// step's, and the clock is read once an operator.
  func measure(_ kind: EngineOperator, _ work: WorkMeter.Entry, _ body: () -> Void) {
    body()
    let now = EngineClock.wall.now
    meter.add(kind, work, seconds: now - moment)
    moment = now
  }

  // MARK: Ends of the stack

  private func embed(_ layout: StepLayout) {
    let hidden = model.shape.hidden
    let elements = Double(layout.rows * hidden)
    let work = WorkMeter.Entry(
      weightBytes: model.tokens.format.numbers.size(of: elements).value, activationBytes: 4 * elements)
    measure(.embedTokens, work) {
      for (row, token) in layout.tokens.enumerated() {
        model.tokens.column(Int(token), into: room.stream.start + row * hidden)
      }
    }
  }

  private func addNorm(
    _ kind: EngineOperator, _ delta: UnsafeMutablePointer<Float>?, _ weight: FloatBuffer, _ layout: StepLayout
  ) {
    let (rows, hidden) = (layout.rows, model.shape.hidden)
    let elements = Double(rows * hidden)
    // Two reads and two writes of the stream; the first norm adds nothing.
    let work = WorkMeter.Entry(
      flops: 5 * elements, weightBytes: 4 * Double(hidden), activationBytes: (delta == nil ? 8 : 16) * elements)
    measure(kind, work) {
      rk_add_norm(
        pool.pool, room.stream.start, delta, weight.start, model.shape.epsilon, Int64(rows), Int64(hidden),
        room.normed.start)
    }
  }

  private func project(_ layout: StepLayout) -> [UnsafeMutableBufferPointer<Float>] {
    guard !layout.sampled.isEmpty else { return [] }
    let (hidden, vocabulary) = (model.shape.hidden, model.shape.vocabulary)
    for (index, row) in layout.sampled.enumerated() {
      (room.attended.start + index * hidden).update(from: room.normed.start + row * hidden, count: hidden)
    }
    multiply(.head, model.head, room.attended.start, rows: layout.sampled.count, into: room.logits.start)
    return layout.sampled.indices.map {
      UnsafeMutableBufferPointer(start: room.logits.start + $0 * vocabulary, count: vocabulary)
    }
  }

  /// A product of rows that lie one after another.
  func multiply(
    _ kind: EngineOperator, _ weights: PackedMatrix, _ x: UnsafeMutablePointer<Float>, rows: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    let work = WorkMeter.Entry(product: weights, rows: rows)
    measure(kind, work) { product(weights, x, rows: rows, into: y) }
  }

  func product(
    _ weights: PackedMatrix, _ x: UnsafeMutablePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    var matrix = weights.matrix
    let scratch = room.scratch(bytes: rk_matmul_scratch(&matrix, Int64(rows)))
    rk_matmul(pool.pool, &matrix, x, Int64(weights.inner), Int64(rows), y, Int64(weights.columns), scratch)
  }
}

extension WorkMeter.Entry {
  /// A product of `rows` rows: weights as the format holds them, inputs in the format in which they are multiplied.
  init(product weights: PackedMatrix, rows: Int) {
    let (rows, columns, inner) = (Double(rows), Double(weights.columns), Double(weights.inner))
    self.init(
      flops: 2 * rows * columns * inner, weightBytes: weights.format.numbers.size(of: columns * inner).value,
      activationBytes: weights.format.activations.size(of: rows * inner).value + 4 * rows * columns)
  }
}
