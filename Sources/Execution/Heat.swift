import CostModels
import Hardware
import ModelGraph
import Quantities

/// Heat in a case that gets rid of less than its device can make.
///
/// Work at full rate puts in its power less what the case gets rid of. When the budget is spent clocks fall; if the
/// device then draws less than the case gets rid of, it comes and goes between both clocks, so that on average it draws
/// just that. Everything is of one device.
package struct HeatAccount: Sendable {
  package let limit: ThermalLimit
  /// Heat above what has been got rid of; at most the budget.
  package private(set) var heat = Joules.zero
  /// When the budget was spent for the first time, counted in time of work.
  package private(set) var spentAfter: Seconds?
  private var worked = Seconds.zero

  package init(_ limit: ThermalLimit) { self.limit = limit }

  /// What a stretch of even work takes and draws.
  package struct Work: Sendable, Equatable {
    package var time: Seconds
    package var energy: Joules

    package init(time: Seconds, energy: Joules) {
      self.time = time
      self.energy = energy
    }

    package var power: Watts { time > .zero ? energy / time : .zero }

    static func * (work: Work, share: Double) -> Work { Work(time: work.time * share, energy: work.energy * share) }
    static func + (a: Work, b: Work) -> Work { Work(time: a.time + b.time, energy: a.energy + b.energy) }
  }

  /// Time at a power until clocks fall; nothing when they never do.
  package func timeLeft(at power: Watts) -> Seconds? {
    guard power > limit.sustained else { return nil }
    return max(.zero, limit.budget - heat) / (power - limit.sustained)
  }

  /// Does work, some of it at full rate.
  /// - Parameters:
  ///   - full: What it takes at full rate.
  ///   - slow: What the same work takes once clocks have fallen.
  package mutating func run(_ full: Work, slow: Work) -> Work {
    guard full.time > .zero else { return full }
    let left = timeLeft(at: full.power)
    if left == nil || (left ?? .zero) >= full.time {
      heat = min(limit.budget, max(.zero, heat + full.energy - limit.sustained * full.time))
      worked += full.time
      return full
    }
    let share = (left ?? .zero) / full.time
    if spentAfter == nil { spentAfter = worked + (left ?? .zero) }
    heat = limit.budget
    let done = full * share + lasting(full, slow: slow) * (1 - share)
    worked += done.time
    return done
  }

  /// Work that goes on for ever.
  package func lasting(_ full: Work, slow: Work) -> Work {
    guard full.power > limit.sustained else { return full }
    guard slow.power < limit.sustained, slow.time > full.time else {
      // Even at the lower clock it draws more: it waits until the case has got rid of it.
      let time = max(slow.time, slow.energy / limit.sustained)
      return Work(time: time, energy: slow.energy)
    }
    let share = (limit.sustained - slow.power) / (full.power - slow.power)
    let rate = share / full.time.value + (1 - share) / slow.time.value
    let time = Seconds(1 / rate)
    return Work(time: time, energy: limit.sustained * time)
  }
}

extension Deployment {
  /// The rate at which such steps can follow one another for ever, over that of the first ones; nothing for devices
  /// whose cooling holds their board limit.
  package func sustainedShare(of step: StepShape) -> Double? {
    guard let limit = thermal, let hot = throttled?.price(step) else { return nil }
    let cool = price(step)
    let devices = 1 / Double(parallelism.tensor)
    let full = HeatAccount.Work(time: cool.time, energy: cool.energy * devices)
    let slow = HeatAccount.Work(time: hot.time, energy: hot.energy * devices)
    return full.time / HeatAccount(limit).lasting(full, slow: slow).time
  }
}
