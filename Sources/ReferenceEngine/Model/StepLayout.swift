import CKernels
import ModelGraph

/// The rows of a step: tokens of all chunks one after another, decodes and prompts as they come.
struct StepLayout {
  let tokens: [Int32]
  let positions: [Int32]
  /// Rows whose logits are wanted.
  let sampled: [Int]
  let decodes: [Part]
  let prefills: [Part]

  /// A chunk's place.
  struct Part {
    let sequence: CachedSequence
    let row: Int
    let count: Int
    /// The sequence's blocks at an address that stays while the step runs.
    let blocks: BlockList
  }

  var rows: Int { tokens.count }

  init(_ chunks: [Engine.Chunk]) {
    var tokens: [Int32] = []
    var positions: [Int32] = []
    var sampled: [Int] = []
    var (decodes, prefills): ([Part], [Part]) = ([], [])
    for chunk in chunks {
      let part = Part(
        sequence: chunk.sequence, row: tokens.count, count: chunk.tokens.count, blocks: BlockList(chunk.sequence.blocks)
      )
      if chunk.isDecode { decodes.append(part) } else { prefills.append(part) }
      tokens += chunk.tokens
      positions += (0..<Int32(chunk.tokens.count)).map { Int32(chunk.sequence.length) + $0 }
      if chunk.wantsLogits { sampled.append(tokens.count - 1) }
    }
    self.tokens = tokens
    self.positions = positions
    self.sampled = sampled
    self.decodes = decodes
    self.prefills = prefills
  }

  func spans(_ parts: [Part]) -> [rk_span] {
    parts.map {
      rk_span(
        row: Int64($0.row), tokens: Int64($0.count), start: Int64($0.sequence.length), blocks: $0.blocks.start)
    }
  }
}

/// A copy of a list of blocks at an address that stays.
final class BlockList {
  let start: UnsafeMutablePointer<Int32>

  init(_ blocks: [Int32]) {
    start = .allocate(capacity: max(1, blocks.count))
    start.initialize(from: blocks, count: blocks.count)
  }

  deinit { start.deallocate() }
}

/// Activations of a step. They grow with the largest step and stay.
struct StepRoom {
  private(set) var stream = FloatBuffer(count: 0)
  private(set) var normed = FloatBuffer(count: 0)
  /// What a mixer or network adds to the stream.
  private(set) var delta = FloatBuffer(count: 0)
  /// Queries, keys and values; gates and ups.
  private(set) var wide = FloatBuffer(count: 0)
  /// Activated products.
  private(set) var narrow = FloatBuffer(count: 0)
  private(set) var attended = FloatBuffer(count: 0)
  /// Rows gathered by expert.
  private(set) var visiting = FloatBuffer(count: 0)
  private(set) var logits = FloatBuffer(count: 0)
  private var kernels = FloatBuffer(count: 0)

  mutating func prepare(_ layout: StepLayout, _ shape: EngineShape) {
    prepare(rows: layout.rows, sampled: layout.sampled.count, shape)
  }

  /// Rows of logits that are kept ready; more are taken when they are asked for.
  private static let readyLogits = 32

  /// Takes memory and writes to it: pages come from the operating system when they are first written to.
  mutating func reserve(_ rows: Int, _ shape: EngineShape) {
    prepare(rows: rows, sampled: min(rows, Self.readyLogits), shape)
    _ = scratch(bytes: 4 * rows * max(shape.hidden, narrow.count / max(1, rows)) + 4096)
    for buffer in [stream, normed, delta, wide, narrow, attended, visiting, logits, kernels] {
      buffer.start.update(repeating: 0, count: buffer.count)
    }
  }

  private mutating func prepare(rows: Int, sampled: Int, _ shape: EngineShape) {
    var (wide, narrow, visits) = (shape.queryWidth + 2 * shape.keyWidth, 0, 0)
    for network in shape.networks {
      switch network {
      case .dense(let dense): (wide, narrow) = (max(wide, 2 * dense.width), max(narrow, dense.width))
      case .mixture(let mixture):
        let width = mixture.expertsPerToken * mixture.expertWidth
        (wide, narrow) = (max(wide, 2 * width, mixture.experts), max(narrow, width))
        visits = max(visits, mixture.expertsPerToken)
      }
    }
    Self.grow(&stream, rows * shape.hidden)
    Self.grow(&normed, rows * shape.hidden)
    Self.grow(&delta, rows * shape.hidden)
    Self.grow(&self.wide, rows * wide)
    Self.grow(&self.narrow, rows * narrow)
    Self.grow(&attended, max(rows * shape.queryWidth, sampled * shape.hidden))
    Self.grow(&visiting, rows * visits * shape.hidden)
    Self.grow(&logits, sampled * shape.vocabulary)
  }

  /// Room for a kernel's own use.
  mutating func scratch(bytes: Int) -> UnsafeMutableRawPointer {
    Self.grow(&kernels, bytes / 4 + 1)
    return UnsafeMutableRawPointer(kernels.start)
  }

  private static func grow(_ buffer: inout FloatBuffer, _ count: Int) {
    if buffer.count < count { buffer = FloatBuffer(count: count) }
  }
}
