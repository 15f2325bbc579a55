import CostModels
import Execution
import ModelGraph
import Quantities

/// Where the energy of one step goes, all devices together.
///
/// Standing power is drawn all the time; what is drawn while devices wait for messages or for the host counts as theirs.
/// Where a board's limit cuts the power of an operator, its parts are cut alike.
package struct EnergyParts: Sendable, Equatable {
  package var standing = Joules.zero
  package var compute = Joules.zero
  package var memory = Joules.zero
  /// Vector units in decode attention.
  package var attention = Joules.zero
  package var links = Joules.zero
  package var host = Joules.zero

  package init() {}

  package var total: Joules { standing + compute + memory + attention + links + host }

  /// With the names that stores and tables use.
  package var named: [(name: String, energy: Joules)] {
    [
      ("standing", standing), ("compute", compute), ("memory", memory), ("attention", attention), ("links", links),
      ("host", host),
    ]
  }

  static let titles = [
    "standing power", "compute", "memory", "vector units", "waiting for links", "waiting for the host",
  ]

  /// - Complexity: As pricing the step five times.
  package init(_ deployment: Deployment, _ step: StepShape) {
    let whole = deployment.pricedOperators(step)
    let alone = [ConstantKey.powerStatic, .powerCompute, .powerMemory, .powerAttention].map { key in
      deployment.with(deployment.pricer.constants.keepingPower(key)).pricedOperators(step)
    }
    for (index, item) in whole.enumerated() {
      let count = Double(item.work.count)
      let parts = alone.map { $0[index].price.energy }
      let sum = parts.reduce(.zero, +)
      let cut = sum > .zero ? item.price.energy / sum : 0
      if case .collective = item.work.kind {
        links += item.price.energy * count
      } else {
        standing += parts[0] * cut * count
      }
      compute += parts[1] * cut * count
      memory += parts[2] * cut * count
      attention += parts[3] * cut * count
    }
    let price = deployment.price(whole, step)
    host = deployment.pricer.constants[.powerStatic] * deployment.platform.device.power.cap * price.timeByBound[.host]
    self = self * Double(deployment.parallelism.tensor * deployment.parallelism.data)
  }

  package static func * (parts: EnergyParts, factor: Double) -> EnergyParts {
    var result = parts
    result.standing = parts.standing * factor
    result.compute = parts.compute * factor
    result.memory = parts.memory * factor
    result.attention = parts.attention * factor
    result.links = parts.links * factor
    result.host = parts.host * factor
    return result
  }

  package static func + (left: EnergyParts, right: EnergyParts) -> EnergyParts {
    var result = left
    result.standing += right.standing
    result.compute += right.compute
    result.memory += right.memory
    result.attention += right.attention
    result.links += right.links
    result.host += right.host
    return result
  }
}

extension Constants {
  /// These constants with one power and no other.
  fileprivate func keepingPower(_ kept: ConstantKey) -> Constants {
    var copy = self
    for key in [ConstantKey.powerStatic, .powerCompute, .powerMemory, .powerAttention] where key != kept {
      copy[key] = 0
    }
    return copy
  }
}
