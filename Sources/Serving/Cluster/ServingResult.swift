import Quantities
import Workloads

/// What a run did, summed up.
package struct ServingResult: Sendable {
  package let metrics: ServingMetrics
  package let replicas: Int
  /// KV blocks of all replicas.
  package let blocks: Int
  package let counts: ReplicaCounts
  package let classes: [RequestClass]
  /// Requests that arrived, however they ended.
  package let arrived: Int
  /// First arrival and last event, in nanoseconds.
  package let firstArrival: Int64
  package let end: Int64
  package let idleEnergy: Joules
  /// Whether the run was stopped before the traffic was served.
  package let interrupted: Bool
  package let pools: [PoolUse]
  package let cluster: ClusterCounts

  package var preemptions: Int { counts.preemptions }

  /// From the first arrival to the end of the last step.
  package var duration: Seconds { Seconds(Double(end - firstArrival) / 1e9) }

  package var energy: Joules { metrics.energy + idleEnergy }

  /// Time that replicas were on, all of them together.
  package var replicaTime: Seconds { pools.reduce(.zero) { $0 + $1.replicaTime } }

  /// Rent of the replicas while they were on; nothing when a price is unknown.
  package var cost: Dollars? {
    pools.reduce(Dollars.zero as Dollars?) { sum, pool in
      guard let sum, let cost = pool.cost else { return nil }
      return sum + cost
    }
  }

  /// Share of the replicas' time in which a step ran.
  package var utilisation: Double {
    replicaTime > .zero ? Double(metrics.busyNanoseconds) / 1e9 / replicaTime.value : 0
  }

  /// Share of a replica's KV blocks in use, mean over steps, and the highest.
  package var meanOccupancy: Double { blocks > 0 ? metrics.meanBlocks / blocksEach : 0 }
  package var peakOccupancy: Double { blocks > 0 ? Double(metrics.peakBlocks) / blocksEach : 0 }
  private var blocksEach: Double { Double(blocks) / Double(replicas) }

  /// Mean number of sequences in a step, weighted by time.
  package var meanBatch: Double { metrics.meanBatch }

  /// Share of prompt tokens found in the prefix cache.
  package var hitRate: Double {
    counts.promptTokens > 0 ? Double(counts.hitTokens) / Double(counts.promptTokens) : 0
  }

  /// Something a second over the run.
  package func rate(_ count: Int) -> Double { duration > .zero ? Double(count) / duration.value : 0 }
}
