import EventKernel
import Quantities

/// A replica's place in the cluster, and whether it is there.
struct Member {
  enum State: Equatable {
    case off
    /// On, but takes no requests yet.
    case starting
    case up
    /// Takes no more requests, and goes off, or changes its role, when it has served those it has.
    case draining(Afterwards)
    /// Off until it is repaired.
    case failed
  }

  enum Afterwards: Equatable {
    case off
    case role(ReplicaOptions.Role)
  }

  let pool: Int
  var state = State.off
  /// Tells an event whether it still means this life of the replica.
  var life = 0
  /// Since when it has been on, and how long it was before.
  var onSince: Int64 = 0
  var onNanoseconds: Int64 = 0
  /// When its last step ended, or it was switched on, and how long it was on without a step before.
  var lastEnd: Int64 = 0
  var idleNanoseconds: Int64 = 0
  /// Caches on their way to it.
  var incoming = 0
  /// Draws its times up and to repair.
  var failures: RandomStream?

  var isUp: Bool {
    switch state {
    case .up, .draining: true
    case .off, .starting, .failed: false
    }
  }

  var isFlipping: Bool { if case .draining(.role) = state { true } else { false } }

  var isOn: Bool {
    switch state {
    case .starting, .up, .draining: true
    case .off, .failed: false
    }
  }

  mutating func switchOn(now: Int64) {
    life += 1
    onSince = now
    lastEnd = now
  }

  /// - Parameter state: ``State/off`` or ``State/failed``.
  mutating func switchOff(now: Int64, _ state: State) {
    life += 1
    onNanoseconds += now - onSince
    idleNanoseconds += now - lastEnd
    self.state = state
  }
}

/// Replicas that are scaled and paid for together: a range of the cluster's members.
struct Pool {
  let plan: PoolPlan
  let members: Range<Int>
  let role: ReplicaOptions.Role
  let limits: ServingLimits
  var scaler: (any Autoscaler)?
  /// Requests that came since the autoscaler was asked last.
  var arrivals = 0
  /// When it was last scaled.
  var lastChange = Int64.min / 2

  init(_ plan: PoolPlan, members: Range<Int>) {
    self.plan = plan
    self.members = members
    role = plan.role
    limits = plan.replica.limits
    scaler = plan.autoscaling?.policy
  }
}

/// What happens to replicas, not to requests.
enum FleetEvent {
  /// Routers and admission see the replicas anew.
  case refresh
  case scale(pool: Int)
  case balance
  case started(Int, life: Int)
  case failed(Int, life: Int)
  /// A failure from a list.
  case outage(Int, repair: Int64)
  case repaired(Int, life: Int)
}

/// What happened to a cluster over a run, beyond what requests tell.
package struct ClusterCounts: Sendable, Equatable {
  /// Replicas switched on and off by autoscaling, failed, and moved between prefill and decode.
  package var starts = 0
  package var stops = 0
  package var failures = 0
  package var flips = 0
  /// Requests routed again after their replica failed.
  package var retries = 0
  /// Caches that moved to a decode replica.
  package var transfers = 0
  /// Bytes put on links, there, and on links that a failure made useless.
  package var bytesSent: Int64 = 0
  package var bytesReceived: Int64 = 0
  package var bytesLost: Int64 = 0
  /// Computed prompts that waited for room at once, at most.
  package var peakHandovers = 0
}

/// What a pool's replicas were on for.
package struct PoolUse: Sendable {
  package let name: String
  /// Time on, of all its replicas together.
  package let replicaTime: Seconds
  /// Rent for that time; nothing when a price is unknown.
  package let cost: Dollars?
}
