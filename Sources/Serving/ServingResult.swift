import Quantities

/// What a run did, summed up.
package struct ServingResult: Sendable {
  package let metrics: ServingMetrics
  package let limits: ServingLimits
  /// Requests that arrived: completed, rejected and unfinished ones.
  package let arrived: Int
  /// First arrival and last event, in nanoseconds.
  package let firstArrival: Int64
  package let end: Int64
  package let idleEnergy: Joules
  package let preemptions: Int
  /// Whether the run was stopped before the traffic was served.
  package let interrupted: Bool

  /// From the first arrival to the end of the last step.
  package var duration: Seconds { Seconds(Double(end - firstArrival) / 1e9) }

  package var energy: Joules { metrics.energy + idleEnergy }

  /// Share of the time in which a step ran.
  package var utilisation: Double { share(Double(metrics.busyNanoseconds)) }

  /// Mean share of the KV blocks in use while busy, and the highest.
  package var meanOccupancy: Double {
    metrics.busyNanoseconds > 0
      ? metrics.blockNanoseconds / Double(metrics.busyNanoseconds) / Double(limits.blocks) : 0
  }
  package var peakOccupancy: Double { Double(metrics.peakBlocks) / Double(limits.blocks) }

  /// Mean number of sequences in a step, weighted by time.
  package var meanBatch: Double {
    metrics.busyNanoseconds > 0 ? metrics.sequenceNanoseconds / Double(metrics.busyNanoseconds) : 0
  }

  /// Something a second over the run.
  package func rate(_ count: Int) -> Double { duration > .zero ? Double(count) / duration.value : 0 }

  private func share(_ nanoseconds: Double) -> Double {
    end > firstArrival ? nanoseconds / Double(end - firstArrival) : 0
  }
}
