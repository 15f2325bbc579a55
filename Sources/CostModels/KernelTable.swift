import Documents
import ModelGraph
import Quantities

/// Times of one engine's own kernels on one machine: what products cost by rows, and what work on rows and attention
/// cost. A calibration that holds it was measured operator by operator; the rooflines then have no part in these.
package struct KernelTable: Sendable, Equatable {
  /// Products with weights in one format.
  package struct Product: Sendable, Equatable {
    package var weights: NumberFormat
    /// Seconds a product starts with, and for each element that goes in and comes out.
    package var start: Double
    package var input: Double
    package var output: Double
    /// Numbers of rows, ascending, and the seconds that each weight takes in a product of so many.
    package var rows: [Double]
    package var times: [Double]

    package init(
      weights: NumberFormat, start: Double, input: Double, output: Double, rows: [Double], times: [Double]
    ) {
      self.weights = weights
      self.start = start
      self.input = input
      self.output = output
      self.rows = rows
      self.times = times
    }
  }

  /// An operator that works row by row: norm, rotary, activation. How long a byte takes follows from how many there
  /// are: few wait for memory and for the start, many pass beyond one cache after another.
  package struct RowWork: Sendable, Equatable {
    /// Of the operator, as the graph names it.
    package var name: String
    /// Bytes of activations that are read and written, ascending, and the seconds that so many take.
    package var bytes: [Double]
    package var times: [Double]

    package init(name: String, bytes: [Double], times: [Double]) {
      self.name = name
      self.bytes = bytes
      self.times = times
    }
  }

  /// Attention of sequences that decode: reading the cache from memory overlaps with work on it.
  package struct DecodeAttention: Sendable, Equatable {
    /// Seconds it starts with, and for each pair of a sequence and a KV head.
    package var start: Double
    package var pair: Double
    /// Seconds for each byte of cache from memory, for each byte as it is worked on, and for each FLOP.
    package var read: Double
    package var load: Double
    package var flop: Double

    package init(start: Double, pair: Double, read: Double, load: Double, flop: Double) {
      self.start = start
      self.pair = pair
      self.read = read
      self.load = load
      self.flop = flop
    }
  }

  /// Attention of prompts: tiles of some rows go over all keys that their last row sees.
  package struct PrefillAttention: Sendable, Equatable {
    package var tileRows: Double
    /// Seconds it starts with, for each tile, and for each FLOP of full tiles.
    package var start: Double
    package var tile: Double
    package var flop: Double

    package init(tileRows: Double, start: Double, tile: Double, flop: Double) {
      self.tileRows = tileRows
      self.start = start
      self.tile = tile
      self.flop = flop
    }
  }

  package var products: [Product] = []
  package var rowWork: [RowWork] = []
  package var decodeAttention: DecodeAttention?
  package var prefillAttention: PrefillAttention?

  package init() {}
}

// MARK: Reading

extension KernelTable {
  static func parse(_ node: Node) throws -> KernelTable {
    try node.strictObject { block in
      var table = KernelTable()
      table.products = try block.optionalArray("products").map(product)
      table.rowWork = try block.optionalArray("rows").map(rowWork)
      table.decodeAttention = try block.optional("attention_decode").map(decodeAttention)
      table.prefillAttention = try block.optional("attention_prefill").map(prefillAttention)
      return table
    }
  }

  private static func seconds(_ block: ObjectReader, _ key: String) throws -> Double {
    try block.quantity(key, TimeDimension.self, allowingZero: true).value
  }

  private static func product(_ node: Node) throws -> Product {
    try node.strictObject { block in
      let (rows, times) = try curve(block, "rows", "weight") { try $0.double("rows", in: 1...1e6) }
      return Product(
        weights: try block.choice("weights", NumberFormat.self), start: try seconds(block, "start"),
        input: try seconds(block, "input"), output: try seconds(block, "output"), rows: rows, times: times)
    }
  }

  private static func rowWork(_ node: Node) throws -> RowWork {
    try node.strictObject { block in
      let (bytes, times) = try curve(block, "bytes", "time") { try $0.quantity("bytes", SizeDimension.self).value }
      return RowWork(name: try block.string("operator"), bytes: bytes, times: times)
    }
  }

  /// Points of a curve, ascending in what `place` reads of them.
  private static func curve(
    _ block: ObjectReader, _ key: String, _ value: String, _ place: (ObjectReader) throws -> Double
  ) throws -> (places: [Double], times: [Double]) {
    let list = try block.required("times")
    let points = try list.array().map { item in
      try item.strictObject { point in
        (place: try place(point), time: try point.quantity(value, TimeDimension.self).value)
      }
    }
    guard !points.isEmpty, zip(points, points.dropFirst()).allSatisfy({ $0.place < $1.place }) else {
      throw list.error("expected points of ascending '\(key)'")
    }
    return (points.map(\.place), points.map(\.time))
  }

  private static func decodeAttention(_ node: Node) throws -> DecodeAttention {
    try node.strictObject { block in
      DecodeAttention(
        start: try seconds(block, "start"), pair: try seconds(block, "pair"), read: try seconds(block, "read"),
        load: try seconds(block, "load"), flop: try seconds(block, "flop"))
    }
  }

  private static func prefillAttention(_ node: Node) throws -> PrefillAttention {
    try node.strictObject { block in
      PrefillAttention(
        tileRows: try block.double("tile_rows", in: 1...1024), start: try seconds(block, "start"),
        tile: try seconds(block, "tile"), flop: try seconds(block, "flop"))
    }
  }
}
