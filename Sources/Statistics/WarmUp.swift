/// Where a series of batch means leaves its beginning behind, and whether its members are independent.
package enum WarmUp {
  /// How many leading values to drop: the fewest that make the standard error of the rest's mean about smallest.
  ///
  /// The marginal standard error rule on batches (K. P. White, M. J. Cobb and S. C. Spratt, "A Comparison of Five
  /// Steady-State Truncation Heuristics for Simulation", WSC 2000), but for a margin: without a warm-up, the very
  /// smallest would drop whatever makes the rest look quieter than it is. It looks no further than the middle: an answer
  /// there means that the run was too short to tell. Fewer than ten values say too little: none is dropped.
  /// - Complexity: O(values).
  package static func length(_ values: [Double]) -> Int {
    guard values.count >= 10 else { return 0 }
    let errors = squaredErrors(values)
    let least = errors.min() ?? 0
    return errors.firstIndex { $0 <= least * margin } ?? 0
  }

  private static let margin = 1.05

  /// The squared standard error of the mean without the first value, the first two ... up to half of them.
  private static func squaredErrors(_ values: [Double]) -> [Double] {
    var errors: [Double] = []
    var mean = 0.0
    var squares = 0.0
    // From the end, so that one pass has the sums of every tail.
    for index in values.indices.reversed() {
      let count = Double(values.count - index)
      let step = values[index] - mean
      mean += step / count
      squares += step * (values[index] - mean)
      if index <= values.count / 2 { errors.append(squares / (count * count)) }
    }
    return errors.reversed()
  }

  /// Correlation of neighbours, -1 to 1; 0 where all values are equal or fewer than three.
  package static func neighbourCorrelation(_ values: [Double]) -> Double {
    guard values.count >= 3 else { return 0 }
    let mean = values.mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let products = zip(values, values.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
    return squares > 0 ? products / squares : 0
  }

  /// Whether neighbours' correlation is what chance gives to independent values nine times in ten, or less.
  static func looksIndependent(_ values: [Double]) -> Bool {
    neighbourCorrelation(values) <= 1.2816 / Double(max(1, values.count)).squareRoot()
  }
}
