import Documents
import Quantities
import Serving

/// Reads pools of replicas and what connects them.
enum PoolReader {
  static func pool(_ node: Node) throws -> PoolSettings {
    try node.strictObject { block in
      var pool = PoolSettings(name: try block.string("name"))
      pool.role = try block.optionalChoice("role", ReplicaOptions.Role.self) ?? .mixed
      pool.replicas = try block.optionalInt("replicas", in: 1...100_000) ?? 1
      pool.replica = try ReplicaReader.settings(block)
      pool.startUp = try block.optionalQuantity("start_up", TimeDimension.self, allowingZero: true) ?? .zero
      pool.failures = try block.optional("failures").map(failures)
      pool.autoscaling = try block.optional("autoscaler").map(autoscaling)
      return pool
    }
  }

  private static func failures(_ node: Node) throws -> FailurePlan {
    try node.strictObject { block in
      let retries = try block.optionalInt("retries", in: 0...1000) ?? 3
      let outages = try block.optionalArray("outages").map { item in
        try item.strictObject { outage in
          FailurePlan.Outage(
            replica: try outage.int("replica", in: 0...100_000),
            at: try outage.quantity("at", TimeDimension.self, allowingZero: true),
            repair: try outage.quantity("repair", TimeDimension.self, allowingZero: true))
        }
      }
      guard outages.isEmpty else { return FailurePlan(.listed(outages), retries: retries) }
      return FailurePlan(
        .random(
          meanUpTime: try block.quantity("mean_up_time", TimeDimension.self),
          meanRepair: try block.quantity("mean_repair", TimeDimension.self)), retries: retries)
    }
  }

  private static func autoscaling(_ node: Node) throws -> AutoscalingSettings {
    try node.strictObject { block in
      guard let policy = try ScenarioFile.policy(block, "policy", check: { _ = try Autoscalers.make($0) }) else {
        throw node.error("'policy' is missing")
      }
      let least = try block.optionalInt("min", in: 1...100_000) ?? 1
      return AutoscalingSettings(
        policy: policy, interval: try block.quantity("interval", TimeDimension.self),
        coolDown: try block.optionalQuantity("cool_down", TimeDimension.self, allowingZero: true) ?? .zero,
        least: least, most: try block.int("max", in: least...100_000))
    }
  }

  static func transfers(_ node: Node) throws -> TransferSettings {
    try node.strictObject { block in
      var transfers = TransferSettings()
      transfers.link = try block.optional("link").map(Located.init)
      transfers.count = try block.optionalInt("count", in: 1...10_000) ?? 1
      transfers.bandwidth = try block.optionalQuantity("bandwidth", BandwidthDimension.self)
      transfers.latency = try block.optionalQuantity("latency", TimeDimension.self, allowingZero: true)
      transfers.sharing = try block.optionalChoice("sharing", TransferPlan.Sharing.self) ?? .sender
      guard transfers.link != nil || transfers.bandwidth != nil else {
        throw node.error("expected 'link', the name of a link, or 'bandwidth'")
      }
      if transfers.link != nil, let bandwidth = block.optional("bandwidth") {
        throw bandwidth.error("does not go with 'link', which has its own; use 'count' for several links")
      }
      return transfers
    }
  }

  static func flipping(_ node: Node) throws -> FlippingPlan {
    try node.strictObject { block in
      FlippingPlan(
        threshold: try block.double("threshold", in: 1...1e6),
        interval: try block.quantity("interval", TimeDimension.self),
        coolDown: try block.optionalQuantity("cool_down", TimeDimension.self, allowingZero: true) ?? .zero)
    }
  }
}
