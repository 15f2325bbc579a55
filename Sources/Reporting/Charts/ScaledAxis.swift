/// A scale with its ticks and their labels.
struct ScaledAxis {
  struct Tick {
    var position: Double
    var label: String
    /// Half of the label's width.
    var half: Double

    /// The label's middle: the tick's place, or as near to it as the edges of the drawing allow.
    var labelPosition: Double { min(ChartPage.width - 3 - half, max(3 + half, position)) }
  }

  let axis: Axis
  let scale: Scale
  private(set) var ticks: [Tick]
  /// The unit that the ticks leave out.
  private let unit: String

  /// The axis title with the unit that its ticks leave out; a title too long is cut, the unit stays.
  var title: String { Self.title(axis.title, unit: unit) }

  static func title(_ words: String, unit: String) -> String {
    let unit = unit.isEmpty || words.isEmpty ? unit : " (\(unit))"
    let room = ChartPage.inner - TextMetrics.width(unit, .axisTitle)
    return TextMetrics.fitted(words, width: room, .axisTitle) + unit
  }

  /// - Parameter limit: No more ticks than this.
  init(_ axis: Axis, _ scale: Scale, limit: Int) {
    self.axis = axis
    self.scale = scale
    let domain = scale.domain
    let size = max(abs(domain.lowerBound), abs(domain.upperBound))
    let step = Ticks.step(span: domain.upperBound - domain.lowerBound, steps: limit - 1)
    var format = TickFormat(linear: axis.unit, largest: size, step: step)
    var values = Ticks.linear(domain, step: step)
    if axis.kind == .logarithmic {
      format = TickFormat(logarithmic: axis.unit)
      values = Ticks.logarithmic(domain, limit: limit)
    }
    ticks = values.map { value in
      let label = format.text(value)
      return Tick(position: scale.position(value), label: label, half: TextMetrics.width(label, .tick) / 2)
    }
    unit = format.titleUnit
  }

  /// As many ticks as stand side by side without touching; where not even two do, those that have room.
  static func horizontal(_ axis: Axis, _ scale: Scale) -> ScaledAxis {
    for limit in [7, 6, 5, 4, 3] {
      let scaled = ScaledAxis(axis, scale, limit: limit)
      if scaled.hasRoom { return scaled }
    }
    var scaled = ScaledAxis(axis, scale, limit: 2)
    scaled.ticks = scaled.ticks.reduce(into: []) { kept, tick in
      if kept.last.map({ hasRoom($0, tick) }) ?? true { kept.append(tick) }
    }
    return scaled
  }

  private var hasRoom: Bool { zip(ticks, ticks.dropFirst()).allSatisfy(Self.hasRoom) }

  /// Whether two labels stand side by side.
  private static func hasRoom(_ left: Tick, _ right: Tick) -> Bool {
    right.labelPosition - left.labelPosition > left.half + right.half + 8
  }
}
