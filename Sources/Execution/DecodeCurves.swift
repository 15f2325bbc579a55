import ModelGraph
import Quantities

/// What decode steps cost by their number of sequences and the tokens these attend to, as straight pieces.
///
/// Each octave of context is cut into 4 pieces whose ends are priced exactly; between them time and energy are linear,
/// in whole picoseconds and nanojoules. The curves bend so little that the pieces stay within 0.05 % of the exact price.
/// Many steps can then be summed in closed form, bit for bit as if taken one by one.
///
/// Only for models whose layers all attend to the whole context; others are priced step by step.
struct DecodeCurves {
  /// A straight piece: cost at `start` tokens, and for each token more, up to `end`.
  struct Piece {
    var start: Int64
    var end: Int64
    var picoseconds: Int64
    var picosecondsPerToken: Int64
    var nanojoules: Int64
    var nanojoulesPerToken: Int64

    func cost(at context: Int64) -> StepTable.Cost {
      StepTable.Cost(
        picoseconds: picoseconds + picosecondsPerToken * (context - start),
        nanojoules: nanojoules + nanojoulesPerToken * (context - start))
    }
  }

  /// The context up to which there is one piece, and pieces in an octave beyond it.
  private static let firstLog = 5
  private let piecesLog: Int

  private var curves: [ContiguousArray<Piece?>] = []

  /// - Parameter piecesLog: Logarithm of the pieces in an octave; more where a schedule bends sharply.
  init(piecesLog: Int = 2) { self.piecesLog = piecesLog }

  /// The piece that holds a context, priced when first asked for.
  /// - Parameter cap: Power that prices are under, and with them all that lies between.
  @inline(__always)
  mutating func piece(
    sequences: Int, context: Int64, under cap: Watts? = nil, price: (Int64) -> StepTable.Cost
  ) -> Piece {
    let index = index(context)
    if sequences < curves.count, index < curves[sequences].count, let piece = curves[sequences][index] { return piece }
    let piece = make(index, under: cap, price: price)
    store(piece, sequences, index)
    return piece
  }

  private mutating func store(_ piece: Piece, _ sequences: Int, _ index: Int) {
    if sequences >= curves.count {
      curves.append(contentsOf: repeatElement([], count: sequences - curves.count + 1))
    }
    if index >= curves[sequences].count {
      curves[sequences].append(contentsOf: repeatElement(nil, count: index - curves[sequences].count + 1))
    }
    curves[sequences][index] = piece
  }

  private func index(_ context: Int64) -> Int {
    guard context >= 1 << Self.firstLog else { return 0 }
    let octave = 63 - context.leadingZeroBitCount
    let piece = Int(context &>> Int64(octave &- piecesLog)) & (1 &<< piecesLog &- 1)
    return 1 &+ (octave &- Self.firstLog) &<< piecesLog &+ piece
  }

  private func make(_ index: Int, under cap: Watts?, price: (Int64) -> StepTable.Cost) -> Piece {
    var start: Int64 = 0
    var width = Int64(1) << Int64(Self.firstLog)
    if index > 0 {
      let octave = Self.firstLog + (index - 1) >> piecesLog
      width = 1 << Int64(octave - piecesLog)
      start = (1 << Int64(piecesLog) + Int64((index - 1) & (1 << piecesLog - 1))) * width
    }
    let low = price(start)
    let high = price(start + width)
    // Rounded down, so that the end of a piece never exceeds the start of the next.
    let growth = max(0, high.picoseconds - low.picoseconds) / width
    // Power at both ends is below the cap, and so it is between them.
    let most = cap.map { StepTable.Cost.nanojoules(in: low.picoseconds + growth * width, under: $0) } ?? .max
    return Piece(
      start: start, end: start + width, picoseconds: low.picoseconds,
      picosecondsPerToken: growth, nanojoules: low.nanojoules,
      nanojoulesPerToken: max(0, min(high.nanojoules, most) - low.nanojoules) / width)
  }
}

/// Decode steps in a row, each of the same sequences with one token more.
package struct DecodeSpan: Sendable, Equatable {
  package var steps = 0
  package var picoseconds: Int64 = 0
  package var nanojoules: Int64 = 0
  /// The times of the first of them, as many as grow evenly.
  package var times = StepTimes(first: 0, growth: 0, count: 0)

  package init() {}
}

/// Equal-growing step times: the first, how much each next one is longer, and how many there are.
package struct StepTimes: Sendable, Equatable {
  package var first: Int64
  package var growth: Int64
  package var count: Int

  package init(first: Int64, growth: Int64, count: Int) {
    self.first = first
    self.growth = growth
    self.count = count
  }

  package var last: Int64 { first + growth * Int64(count - 1) }

  /// All of them together.
  package var sum: Int64 {
    let count = Int64(self.count)
    return first * count + growth * (count * (count - 1) / 2)
  }

  /// How many of them reach a total: the fewest whose sum is at least it.
  /// - Precondition: All together reach it.
  func stepsToReach(_ total: Int64) -> Int {
    // The root of the sum as a quadratic, put right in whole numbers: both ways of writing it lose digits only where a
    // step or two either way is found anyway.
    let slope = Double(growth) / 2
    let start = Double(first) - slope
    let root = start + (start * start + 4 * slope * Double(total)).squareRoot()
    var steps = max(1, min(count, Int((2 * Double(total) / max(1, root)).rounded(.up))))
    while steps < count, StepTimes(first: first, growth: growth, count: steps).sum < total { steps += 1 }
    while steps > 1, StepTimes(first: first, growth: growth, count: steps - 1).sum >= total { steps -= 1 }
    return steps
  }

  /// How many of them are at most a value; they never shrink.
  package func count(upTo value: Int64) -> Int {
    if value < first { return 0 }
    return growth == 0 ? count : min(count, Int((value - first) / growth) + 1)
  }
}
