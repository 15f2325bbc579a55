/// How many values a chart was given and could not show.
struct Omissions {
  private var counts: [(reason: String, count: Int)] = []

  mutating func add(_ reason: String, _ count: Int = 1) {
    guard count > 0 else { return }
    if let index = counts.firstIndex(where: { $0.reason == reason }) {
      counts[index].count += count
    } else {
      counts.append((reason, count))
    }
  }

  /// Why an axis has no place for a value.
  static func reason(_ axis: Axis, _ value: Double) -> String {
    guard value.isFinite else { return "not a finite number" }
    return axis.kind == .logarithmic && value <= 0
      ? "not positive, on a logarithmic axis" : "too large or too small to draw"
  }

  var notes: [String] {
    counts.map { "Not shown: \(groupedDigits($0.count)) \($0.count == 1 ? "value" : "values") (\($0.reason))." }
  }
}
