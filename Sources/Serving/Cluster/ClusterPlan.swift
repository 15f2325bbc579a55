import Quantities

/// The replicas that serve, in pools, and the policies they serve by.
///
/// Pools of ``ReplicaOptions/Role/mixed`` and ``ReplicaOptions/Role/prefill`` take the requests that arrive, all behind
/// one router. A prompt that a prefill replica has computed moves, with its cache, to a replica of a decode pool.
package struct ClusterPlan {
  package var pools: [PoolPlan]
  package var scheduler: any Scheduler = FirstComeFirstServed()
  /// Chooses among the replicas that take prompts.
  package var router: any Router = RoundRobin()
  /// Chooses among the decode replicas for a prompt that was computed elsewhere.
  package var decodeRouter: any Router = LeastKV()
  package var admission: any Admission = AdmitAll()
  /// Routers and admission see the replicas as they were at the last of equally spaced moments, so far apart; zero shows
  /// them as they are.
  package var signalAge = Seconds.zero
  /// How caches move from prefill to decode replicas; needed when there are both.
  package var transfers: TransferPlan?
  /// Whether replicas change between prefill and decode; nothing keeps roles as they are.
  package var flipping: FlippingPlan?
  /// Of everything that is drawn by lot while serving.
  package var seed: UInt64 = 1

  package init(pools: [PoolPlan]) { self.pools = pools }

  /// So many equal replicas in one pool.
  package init(_ replica: ReplicaPlan, count: Int = 1) {
    self.init(pools: [PoolPlan(name: "replicas", replica, count: count)])
  }
}

/// Equal replicas that are counted, scaled and paid for together. Their role is their options'.
package struct PoolPlan {
  package var name: String
  package var replica: ReplicaPlan
  /// Replicas that are up when the run begins.
  package var count: Int
  /// From the decision to start a replica, or the end of a repair, until it takes requests. It is paid for meanwhile.
  package var startUp = Seconds.zero
  /// Nothing for replicas that never fail.
  package var failures: FailurePlan?
  /// Nothing keeps the count.
  package var autoscaling: AutoscalingPlan?

  package init(name: String, _ replica: ReplicaPlan, count: Int = 1) {
    self.name = name
    self.replica = replica
    self.count = count
  }

  package var role: ReplicaOptions.Role {
    get { replica.options.role }
    set { replica.options.role = newValue }
  }

  /// Replicas that there can be at once.
  var most: Int { max(count, autoscaling?.most ?? 0) }
}

/// The links that caches move over. Transfers on one link at once share it equally.
package struct TransferPlan: Sendable {
  /// Which transfers share a link.
  package enum Sharing: String, CaseIterable, Sendable {
    /// Every pair of a prefill and a decode replica has its own.
    case pair
    /// Each prefill replica, or each decode replica, has one.
    case sender, receiver
    /// All transfers share one.
    case fabric
  }

  /// What the link is called in reports.
  package var name: String
  /// One way.
  package var bandwidth: BytesPerSecond
  /// From the last byte sent to the last byte there.
  package var latency: Seconds
  package var sharing: Sharing

  package init(name: String, bandwidth: BytesPerSecond, latency: Seconds, sharing: Sharing = .sender) {
    self.name = name
    self.bandwidth = bandwidth
    self.latency = latency
    self.sharing = sharing
  }
}

/// When a replica changes between prefill and decode: one at a time, drained first, at least one left on each side.
///
/// Queues are counted per replica: prompts that wait on one side, computed prompts that wait for room on the other.
package struct FlippingPlan: Sendable {
  /// Requests that wait per replica of a side, beyond this many times those per replica of the other (one at least),
  /// bring that side another replica.
  package var threshold: Double
  /// Between looks at the queues.
  package var interval: Seconds
  /// After a flip, before the next.
  package var coolDown: Seconds

  package init(threshold: Double, interval: Seconds, coolDown: Seconds) {
    self.threshold = threshold
    self.interval = interval
    self.coolDown = coolDown
  }
}

/// When replicas of a pool fail, and what becomes of the requests there.
package struct FailurePlan: Sendable {
  package enum Times: Sendable {
    /// Time up and time to repair are exponential, drawn for each replica from a stream of its own.
    case random(meanUpTime: Seconds, meanRepair: Seconds)
    case listed([Outage])
  }

  /// One failure of one replica.
  package struct Outage: Sendable, Equatable {
    /// Position in the pool, from 0.
    package var replica: Int
    /// Since the first arrival.
    package var at: Seconds
    /// Until it is repaired; then it starts up.
    package var repair: Seconds

    package init(replica: Int, at: Seconds, repair: Seconds) {
      self.replica = replica
      self.at = at
      self.repair = repair
    }
  }

  package var times: Times
  /// How often a request is routed again after its replica failed; it fails with the next failure.
  package var retries: Int

  package init(_ times: Times, retries: Int = 3) {
    self.times = times
    self.retries = retries
  }
}

/// How many replicas of a pool there should be, asked again and again.
package struct AutoscalingPlan: Sendable {
  package var policy: any Autoscaler
  /// Between questions.
  package var interval: Seconds
  /// After a change, before replicas are taken away.
  package var coolDown: Seconds
  package var least: Int
  package var most: Int

  package init(
    _ policy: any Autoscaler, interval: Seconds, coolDown: Seconds = .zero, least: Int = 1, most: Int
  ) {
    self.policy = policy
    self.interval = interval
    self.coolDown = coolDown
    self.least = least
    self.most = most
  }
}
