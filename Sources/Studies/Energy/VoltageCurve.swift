import CostModels
import Execution
import Hardware
import Quantities

/// The core voltage that a clock needs, both as shares of their highest.
///
/// Straight lines through the means of three boards measured by TechPowerUp (GeForce GTX 1660 Ti, RTX 2060 and
/// RTX 3060 Ti; tables "Clock Speeds" of techpowerup.com/review, read 2026-11): 0.85 to 0.875 V where load begins
/// (1605, 1620 and 1740 MHz), 1.05 to 1.081 V at the top (1920, 1920 and 1965 MHz), 0.656 to 0.718 V at least.
package enum VoltageCurve {
  /// Of the clock and of the voltage, where load begins.
  static let knee = (clock: 0.855, voltage: 0.809)
  static let floor = 0.638

  package static func voltage(at clock: Double) -> Double {
    let slope = (1 - knee.voltage) / (1 - knee.clock)
    return max(floor, 1 - (1 - clock) * slope)
  }

  /// Power of switching circuits, which goes with the clock and the square of the voltage.
  package static func power(at clock: Double) -> Double {
    let voltage = voltage(at: clock)
    return clock * voltage * voltage
  }
}

extension Deployment {
  /// The same deployment with its core clock at a share of the highest.
  ///
  /// Compute rates follow the clock and memory keeps its own, as measured decode does (P. J. Maliakel et al., "Characterizing
  /// LLM Inference Energy-Performance Tradeoffs", arXiv 2501.08219: 1 to 6 % slower at a fifteenth of the clock). What a
  /// board draws beyond idling while it stands ready, and what its units draw, follow ``VoltageCurve/power(at:)``.
  package func clocked(_ clock: Double) -> Deployment {
    var scale = HardwareScale()
    scale[.compute] = clock
    let power = VoltageCurve.power(at: clock)
    var constants = pricer.constants
    let limits = platform.device.power
    let idle = limits.idle / limits.cap
    let standing = constants[.powerStatic]
    constants[.powerStatic] = min(standing, idle) + max(0, standing - idle) * power
    // Peaks have fallen with the clock, and with them the share of a peak that a FLOP takes.
    constants[.powerCompute] *= power
    constants[.powerAttention] *= power
    return scaled(by: scale).with(constants)
  }

  /// Lowest share of the highest clock; a fifth where the device does not say.
  package var lowestClock: Double {
    let limits = platform.device.power
    guard let low = limits.clockMinimum, let high = limits.clockMaximum else { return 0.2 }
    return max(0.1, low / high)
  }
}
