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

  package var preemptions: Int { counts.preemptions }

  /// From the first arrival to the end of the last step.
  package var duration: Seconds { Seconds(Double(end - firstArrival) / 1e9) }

  package var energy: Joules { metrics.energy + idleEnergy }

  /// Share of the time in which a step ran, mean of the replicas.
  package var utilisation: Double {
    end > firstArrival ? Double(metrics.busyNanoseconds) / Double(end - firstArrival) / Double(replicas) : 0
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
