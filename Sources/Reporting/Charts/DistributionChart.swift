/// Cumulative distributions: which share of the values is at most so large.
package struct DistributionChart: Sendable {
  package struct Series: Sendable {
    package var name: String
    /// Values in ascending order with the share of all values at or below each.
    package var steps: [(value: Double, share: Double)]
    /// How many values no step can be made of.
    package var omitted: Int

    /// A distribution known by its steps, as a sketch or a histogram gives it.
    package init(_ name: String, steps: [(value: Double, share: Double)]) {
      self.name = name
      self.steps = steps
      omitted = 0
    }

    /// The distribution of some values; those that are not finite are counted as left out.
    /// - Complexity: O(n log n).
    package init(_ name: String, values: [Double]) {
      let sorted = values.filter(\.isFinite).sorted()
      self.name = name
      omitted = values.count - sorted.count
      let count = Double(sorted.count)
      steps = sorted.indices.lazy.filter { $0 == sorted.count - 1 || sorted[$0] != sorted[$0 + 1] }
        .map { (sorted[$0], Double($0 + 1) / count) }
    }
  }

  package var header: ChartHeader
  package var x: Axis
  package var series: [Series]
  package var notes: [String]

  package init(_ header: ChartHeader, x: Axis, series: [Series], notes: [String] = []) {
    self.header = header
    self.x = x
    self.series = series
    self.notes = notes
  }

  /// The drawing, as one `svg` element: at most some hundred steps a series, whatever it has.
  package func svg() -> String {
    var omissions = Omissions()
    omissions.add("not a finite number", series.map(\.omitted).reduce(0, +))
    let y = Axis("Share at or below", unit: .percent, covering: 0...1)
    let lines = series.map { LineChart.Series($0.name, points($0), path: .steps) }
    return LineChart(header, x: x, y: y, series: lines, notes: notes + omissions.notes).svg()
  }

  /// One step for each three-hundredth of the axis at most: the last one in it, where the curve leaves it.
  private func points(_ series: Series) -> [LineChart.Point] {
    let domain = x.domain(of: self.series.flatMap { $0.steps.map(\.value) }, steps: 6)
    let scale = Scale(kind: x.kind, domain: domain, start: 0, end: 300)
    var points: [LineChart.Point] = []
    var last: Double?
    for step in series.steps {
      let pixel = x.accepts(step.value) ? scale.position(step.value).rounded(.down) : nil
      // The first stays, because the curve begins there.
      if points.count > 1, let pixel, pixel == last { points.removeLast() }
      points.append(LineChart.Point(step.value, step.share))
      last = pixel
    }
    if let first = points.first(where: { x.accepts($0.x) }), first.y > 0, first.y < 1 || points.count == 1 {
      points.insert(LineChart.Point(first.x, 0), at: 0)
    }
    return points
  }
}
