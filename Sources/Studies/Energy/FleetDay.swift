import EventKernel
import Execution
import Quantities

/// A fleet over a day whose traffic follows the sun: energy, carbon and cost, hour by hour.
package struct FleetDay: Sendable {
  package struct Settings: Sendable {
    /// Mean requests a second over the day.
    package var rate: Double
    /// How far the peak is above the mean, as a share of it.
    package var amplitude = 0.6
    /// Hour of the peak.
    package var peak = 15.0
    /// Replicas that are not needed in an hour are switched off.
    package var scales = false
    /// Share of a replica's throughput that may be used at the peak.
    package var utilisation = 0.7

    package init(rate: Double) { self.rate = rate }
  }

  package struct Hour: Sendable {
    package var hour: Int
    package var rate: Double
    package var replicas: Int
    package var utilisation: Double
    package var power: Watts
    package var kilowattHours: Double
    package var kilograms: Double
  }

  package let hours: [Hour]
  package let replicas: Int
  package let devices: Int
  package let site: GridSite
  /// Share of the machines' energy that is drawn while they idle.
  package let idleShare: Double
  private let outputTokens: Double
  private let purchase: Dollars?
  private let rent: DollarsPerHour?

  /// - Parameters:
  ///   - prediction: Of the batch that every busy replica runs.
  package init(
    _ deployment: Deployment, _ batch: BatchCase, _ prediction: Prediction, _ settings: Settings, site: GridSite
  ) {
    let capacity = Double(batch.sequences) / prediction.endToEnd.value
    let perReplica = capacity * settings.utilisation
    let rates = (0..<24).map { hour in
      settings.rate * (1 + settings.amplitude * Self.cosine(ofHours: Double(hour) - settings.peak))
    }
    func needed(_ rate: Double) -> Int { max(1, Int((rate / perReplica).rounded(.up))) }
    let most = needed(rates.max() ?? settings.rate)
    let each = deployment.parallelism.devices
    let idle = deployment.platform.device.power.idle * Double(each)
    var idleEnergy = Joules.zero
    hours = rates.enumerated().map { hour, rate in
      let count = settings.scales ? needed(rate) : most
      let busy = rate / capacity
      let spare = max(0, Double(count) - busy)
      let power = prediction.power * busy + idle * spare
      idleEnergy += idle * spare * Seconds(3600)
      let kilowattHours = site.kilowattHours(power * Seconds(3600))
      return Hour(
        hour: hour, rate: rate, replicas: count, utilisation: busy / Double(count), power: power,
        kilowattHours: kilowattHours, kilograms: kilowattHours * site.carbon[hour] / 1000)
    }
    replicas = most
    devices = most * each
    self.site = site
    outputTokens = rates.reduce(0, +) * 3600 * Double(batch.outputTokens)
    let energy = hours.reduce(Joules.zero) { $0 + $1.power * Seconds(3600) }
    idleShare = idleEnergy / energy
    purchase = deployment.platform.device.price?.purchase.map { $0 * Double(most * each) }
    rent = deployment.hourlyPrice.map { $0 * Double(most) }
  }

  /// The cosine of a day that is full after 24 hours.
  private static func cosine(ofHours hours: Double) -> Double {
    let away = abs((hours / 24 - (hours / 24).rounded()) * 24)
    return away <= 6 ? PortableMath.sin(.pi / 2 * (1 - away / 6)) : -PortableMath.sin(.pi / 2 * (away / 6 - 1))
  }

  package var kilowattHours: Double { hours.reduce(0) { $0 + $1.kilowattHours } }
  package var kilograms: Double { hours.reduce(0) { $0 + $1.kilograms } }
  package var joulesPerToken: Double { kilowattHours * GridSite.joulesPerKilowattHour / outputTokens }

  /// US dollars a day: what machines lose in worth, and power; nothing where their price is unknown.
  package var ownership: (capital: Double, power: Double)? {
    purchase.map { purchase in
      let capital = purchase.value * site.capitalFactor / (site.lifetime * 365.25)
      return (capital: capital, power: kilowattHours * site.electricity)
    }
  }

  /// Rent for a day, all replicas always on.
  package var rentPerDay: Double? { rent.map { $0.value * 24 } }

  package func perMillionTokens(_ dollarsPerDay: Double) -> Double { dollarsPerDay / outputTokens * 1e6 }
}
