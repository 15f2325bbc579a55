import CostModels
import Execution
import Foundation
import Statistics

/// Fits the constants of operator families to measured operators.
package struct OperatorFit: Sendable {
  /// Rows beyond this many are thinned out evenly; few constants need no more.
  package var mostRows = 2500
  package var starts = 2
  package var lossScale = 0.1

  package init() {}

  /// Constants that a fit found, with what it had to assume about the measurement.
  package struct Outcome: Sendable {
    package var constants = Constants()
    package var fitted: [ConstantKey] = []
    /// How warm repeated reads were, by family.
    var replays: [OperatorFamily: WarmReplay] = [:]
  }

  /// Fits every family of some rows in turn; products of experts build on what plain products determined.
  package func fit(_ rows: [MeasuredOperator], base: (MeasuredOperator) throws -> Constants) throws -> Outcome {
    var outcome = Outcome()
    for family in OperatorFamily.allCases {
      let members = rows.filter { $0.family == family }
      guard members.count > 4 * family.constants.count else { continue }
      try fit(family, thinned(members), base, &outcome)
    }
    return outcome
  }

  private func fit(
    _ family: OperatorFamily, _ rows: [MeasuredOperator], _ base: (MeasuredOperator) throws -> Constants,
    _ outcome: inout Outcome
  ) throws {
    var bases: [String: Constants] = [:]
    for row in rows where bases[row.device.name] == nil {
      var constants = try base(row)
      constants.override(with: outcome.constants)
      bases[row.device.name] = constants
    }
    let moved = family.constants
    var parameters = moved.map(\.parameter)
    if family.isReplayed {
      parameters.append(FitParameter("share", WarmReplay.shareRange, start: 0.7, scale: .logarithmic))
      parameters.append(FitParameter("speed", WarmReplay.speedRange, start: 2.5, scale: .logarithmic))
    }
    var fit = RobustFit(parameters: parameters, loss: .softL1(scale: lossScale))
    fit.starts = starts
    fit.differenceStep = 0.01
    fit.tolerance = 1e-5
    fit.maxIterations = 40
    let solution = try fit.solve { values in
      let replay = Self.replay(family, values)
      let ratios = OperatorPredictor(constants: bases, override: Self.constants(moved, values), replay: replay)
        .logRatios(rows)
      return ratios + zip(moved, values).map { lossScale * $0.surprise($1) }
    }
    let rounded = solution.values.map { Double(CalibrationText.number($0)) ?? $0 }
    outcome.constants.override(with: Self.constants(moved, rounded))
    outcome.fitted += moved.map(\.key)
    outcome.replays[family] = Self.replay(family, rounded)
  }

  private static func constants(_ moved: [FittedConstant], _ values: [Double]) -> Constants {
    var constants = Constants()
    for (constant, value) in zip(moved, values) { constant.set(value, in: &constants) }
    return constants
  }

  private static func replay(_ family: OperatorFamily, _ values: [Double]) -> WarmReplay? {
    guard family.isReplayed else { return nil }
    return WarmReplay(share: values[values.count - 2], speed: values[values.count - 1])
  }

  /// Evenly chosen rows of each device, so that devices count alike.
  private func thinned(_ rows: [MeasuredOperator]) -> [MeasuredOperator] {
    let groups = FoldedFit.grouped(rows) { $0.device.name }
    let share = mostRows / max(1, groups.count)
    return groups.flatMap { group -> [MeasuredOperator] in
      guard group.members.count > share else { return group.members }
      return (0..<share).map { group.members[$0 * group.members.count / share] }
    }
  }
}

/// Predicts measured operators under given constants.
struct OperatorPredictor {
  /// Constants by device.
  var constants: [String: Constants]
  var override = Constants()
  var replay: WarmReplay?

  /// Logarithms of predicted over measured.
  func logRatios(_ rows: [MeasuredOperator]) -> [Double] {
    var pricers: [String: OperatorPricer] = [:]
    return rows.map { row in
      let key = row.device.name + (row.platform.nodePath == nil ? "" : " in nodes")
      let pricer: OperatorPricer
      if let known = pricers[key] {
        pricer = known
      } else {
        var merged = constants[row.device.name] ?? Constants()
        merged.override(with: override)
        pricer = OperatorPricer(platform: row.platform, constants: merged)
        pricers[key] = pricer
      }
      return log(time(row, pricer) / row.seconds)
    }
  }

  private func time(_ row: MeasuredOperator, _ pricer: OperatorPricer) -> Double {
    row.parts.reduce(0) { total, part in
      total + pricer.price(replay?.seen(part, on: row.device) ?? part).time.value
    }
  }
}
