import Documents
import Quantities
import Serving
import Workloads

/// A whole run, described: what serves, by which policies, under which traffic, judged by what.
///
/// Read from a file of `Workloads/Scenarios` or of the user's own; options of the command line replace parts of it.
/// Names are resolved when it is built.
package struct Scenario: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String] = []
  package var notes: String?
  package var model: Located?
  /// What every replica has unless its pool says otherwise.
  package var replica = ReplicaSettings()
  /// The runtime's when nothing.
  package var scheduler: Located?
  package var router: Located?
  package var decodeRouter: Located?
  package var admission: Located?
  package var signalAge: Seconds?
  /// Equal replicas, where there are no pools.
  package var replicas: Int?
  package var pools: [PoolSettings] = []
  package var transfers: TransferSettings?
  package var flipping: FlippingPlan?
  package var traffic = TrafficSettings()
  /// Of classes that have none of their own.
  package var objective = ServiceObjective()
  /// Of all classes, latency by latency in place of their own.
  package var demand = ServiceObjective()
  package var warmUp = WarmUpSettings.automatic
  package var seed: Int?
  package var outputs = OutputSettings()
  /// What it was read from; nothing when it was made of options.
  package var document: Node?

  package init(name: String, title: String) {
    self.name = name
    self.title = title
  }
}

/// Replicas that are counted, scaled and paid for together.
package struct PoolSettings: Sendable {
  package var name: String
  package var role = ReplicaOptions.Role.mixed
  package var replicas = 1
  package var replica = ReplicaSettings()
  package var startUp = Seconds.zero
  package var failures: FailurePlan?
  package var autoscaling: AutoscalingSettings?
}

package struct AutoscalingSettings: Sendable {
  package var policy: Located
  package var interval: Seconds
  package var coolDown: Seconds
  package var least: Int
  package var most: Int
}

/// How caches move from prefill to decode replicas: over a link of the library, or one described here.
package struct TransferSettings: Sendable {
  package var link: Located?
  package var count = 1
  package var bandwidth: BytesPerSecond?
  package var latency: Seconds?
  package var sharing = TransferPlan.Sharing.sender
}

/// Which requests do not count because the system was still filling up.
package enum WarmUpSettings: Sendable, Equatable {
  /// Found by the marginal standard error rule.
  case automatic
  case requests(Int)
  case time(Seconds)
}

/// Files a run leaves behind.
package struct OutputSettings: Sendable {
  package var requests: String?
}

/// Where the requests come from, and when they stop.
package struct TrafficSettings: Sendable {
  package enum Origin: Sendable {
    case named(Located)
    case trace(path: String)
    case described(Workloads.Traffic)

    var isTrace: Bool { if case .trace = self { true } else { false } }
  }

  package var origin: Origin?
  /// Mean arrivals a second in place of the traffic's own.
  package var rate: Double?
  /// Factor on a trace's arrival times.
  package var timeScale: Double?
  package var requests: Int?
  /// No request arrives later than this after the first.
  package var until: Seconds?

  package init() {}
}

extension Scenario {
  /// What a class of its traffic is judged by.
  func objective(of item: RequestClass) -> ServiceObjective {
    let own = item.objective.isEmpty ? objective : item.objective
    return ServiceObjective(
      timeToFirstToken: demand.timeToFirstToken ?? own.timeToFirstToken,
      timePerOutputToken: demand.timePerOutputToken ?? own.timePerOutputToken, endToEnd: demand.endToEnd ?? own.endToEnd
    )
  }
}
