import CKernels
import Quantities
import ReferenceEngine
import Statistics

/// The engine beside others in one run, on one thread: products beside OpenBLAS, a vector's product beside plain reading,
/// and decodes beside llama.cpp's on the same file.
package struct SideBySide: Sendable {
  package struct Product: Sendable {
    package let width: Int
    /// Seconds.
    package let ours: Double
    package let blas: Double
  }

  package struct Llama: Sendable {
    package let step: HostStep
    /// Seconds.
    package let ours: Double
    package let theirs: Double
  }

  package private(set) var products: [Product] = []
  /// Bytes a second of a product with one vector, and of reading as much.
  package private(set) var vector = BytesPerSecond.zero
  package private(set) var reading = BytesPerSecond.zero
  package private(set) var llama: [Llama] = []

  private static let widths = [512, 768, 1024, 1536]

  /// Alternates between the engines, round by round; medians count.
  package init(_ foreign: ForeignEngine, gguf: String, rounds: Int, progress: (String) -> Void) throws {
    let pool = try WorkerPool()
    let (model, _) = try EngineModel.gguf(path: gguf)
    let engine = Engine(model, cacheBlocks: 80, pool: pool)
    engine.cache.fill(seed: 1)
    var (ours, blas) = ([Int: [Double]](), [Int: [Double]]())
    var (mine, theirs) = ([HostStep: [Double]](), [HostStep: [Double]]())
    var order: [HostStep] = []
    var (vectors, readings) = ([Double](), [Double]())
    for round in 1...rounds {
      progress("side by side, round \(round) of \(rounds)")
      for (width, seconds) in try foreign.blas(widths: Self.widths) { blas[width, default: []].append(seconds) }
      for width in Self.widths { ours[width, default: []].append(Self.product(width, pool)) }
      let (vector, reading) = Self.streams(pool)
      vectors.append(vector)
      readings.append(reading)
      let points = try foreign.llama(model: gguf)
      order = points.map(\.step)
      for point in points {
        theirs[point.step, default: []].append(point.seconds)
        mine[point.step, default: []].append(try Self.time(point.step, engine))
      }
    }
    products = Self.widths.map {
      Product(width: $0, ours: Quantile.median(ours[$0] ?? [0]), blas: Quantile.median(blas[$0] ?? [0]))
    }
    vector = BytesPerSecond(Quantile.median(vectors))
    reading = BytesPerSecond(Quantile.median(readings))
    llama = order.map {
      Llama(step: $0, ours: Quantile.median(mine[$0] ?? [0]), theirs: Quantile.median(theirs[$0] ?? [0]))
    }
  }

  private static func best(_ repeats: Int, _ body: () -> Void) -> Double {
    let clock = EngineClock.thread
    body()
    return Quantile.median(
      (0..<repeats).map { _ in
        let start = clock.now
        body()
        return clock.now - start
      })
  }

  private static func product(_ width: Int, _ pool: WorkerPool) -> Double {
    let product = PlainProduct(columns: width, inner: width, rows: width)
    return best(5) { product.run(pool) }
  }

  /// Bytes a second: a product with one vector, and reading the same array.
  private static func streams(_ pool: WorkerPool) -> (vector: Double, reading: Double) {
    let product = PlainProduct(columns: 32_768, inner: 2048, rows: 1)
    let bytes = 4.0 * 32_768 * 2048
    let array = FloatBuffer(count: 32_768 * 2048)
    for index in stride(from: 0, to: array.count, by: 512) { array.start[index] = 1 }
    let vector = best(5) { product.run(pool) }
    let reading = best(5) { pool.read(array, count: array.count) }
    return (bytes / vector, bytes / reading)
  }

  private static func time(_ step: HostStep, _ engine: Engine) throws -> Double {
    var times: [Double] = []
    for _ in 0..<5 {
      let sequence = CachedSequence()
      var tokens: [Int32] = [17]
      switch step {
      case .prefill(let count): tokens = (0..<Int32(count)).map { 100 + $0 * 7 % 3000 }
      case .decode(_, let context): try engine.pretend(sequence, tokens: context - 1)
      }
      let start = EngineClock.thread.now
      _ = try engine.step([Engine.Chunk(sequence, tokens: tokens)])
      times.append(EngineClock.thread.now - start)
      engine.cache.release(sequence)
    }
    return Quantile.median(times)
  }
}
