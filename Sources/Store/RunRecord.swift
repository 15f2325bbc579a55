/// Where a run or a sweep comes from: enough to repeat it, and to tell whether anything it rests on has changed.
package struct Provenance: Sendable, Equatable {
  package var toolVersion: String
  /// Of all data files.
  package var dataHash: String
  /// Hash of each calibration file in use, by name.
  package var calibrations: [(name: String, hash: String)]
  package var host: String
  /// UTC, ISO 8601.
  package var startedAt: String

  package init(
    toolVersion: String, dataHash: String, calibrations: [(name: String, hash: String)], host: String, startedAt: String
  ) {
    self.toolVersion = toolVersion
    self.dataHash = dataHash
    self.calibrations = calibrations
    self.host = host
    self.startedAt = startedAt
  }

  package static func == (left: Provenance, right: Provenance) -> Bool {
    left.toolVersion == right.toolVersion && left.dataHash == right.dataHash
      && left.calibrations.elementsEqual(right.calibrations, by: ==) && left.host == right.host
      && left.startedAt == right.startedAt
  }
}

/// A run before it is in a store: how it was made and all that it found.
package struct RunRecord: Sendable {
  /// The same for the same run wherever it is stored.
  package var uid: String
  package var kind: String
  package var name: String
  /// What it found, in a sentence.
  package var headline: String
  /// The whole scenario as JSON.
  package var scenario: String
  package var command: String
  package var provenance: Provenance
  package var seed: Int?
  package var elapsed = 0.0
  /// Why there are no results; nothing when there are.
  package var problem: String?
  package var settings: [Setting] = []
  package var predictions: [StoredMetric] = []
  package var distributions: [DistributionPoint] = []
  package var series: [SeriesRow] = []
  package var operators: [OperatorRow] = []
  package var assumptions: [Assumption] = []

  package init(
    uid: String, kind: String, name: String, headline: String, scenario: String, command: String,
    provenance: Provenance
  ) {
    self.uid = uid
    self.kind = kind
    self.name = name
    self.headline = headline
    self.scenario = scenario
    self.command = command
    self.provenance = provenance
  }
}

/// A field that a sweep set, with its value as text, and as a number where it is one.
package struct Setting: Sendable, Equatable {
  package var field: String
  package var value: String
  package var number: Double?

  package init(field: String, value: String, number: Double?) {
    self.field = field
    self.value = value
    self.number = number
  }
}

/// One number a run found, in base units, with its interval.
package struct StoredMetric: Sendable, Equatable {
  package var metric: String
  package var value: Double?
  package var low: Double?
  package var high: Double?

  package init(_ metric: String, _ value: Double?, low: Double? = nil, high: Double? = nil) {
    self.metric = metric
    self.value = value
    self.low = low
    self.high = high
  }
}

/// The value that a share of all do not exceed.
package struct DistributionPoint: Sendable, Equatable {
  package var metric: String
  package var share: Double
  package var value: Double

  package init(metric: String, share: Double, value: Double) {
    self.metric = metric
    self.share = share
    self.value = value
  }
}

/// The cluster at one moment.
package struct SeriesRow: Sendable, Equatable {
  package var time: Double
  package var waiting: Int
  package var running: Int
  package var occupancy: Double
  package var replicasUp: Int
  package var power: Double?
  package var outputTokensPerSecond: Double?

  package init(
    time: Double, waiting: Int, running: Int, occupancy: Double, replicasUp: Int, power: Double?,
    outputTokensPerSecond: Double?
  ) {
    self.time = time
    self.waiting = waiting
    self.running = running
    self.occupancy = occupancy
    self.replicasUp = replicasUp
    self.power = power
    self.outputTokensPerSecond = outputTokensPerSecond
  }
}

/// An operator of one step, all its instances together.
package struct OperatorRow: Sendable, Equatable {
  package var phase: String
  package var name: String
  package var instances: Int
  package var time: Double
  package var energy: Double
  package var flops: Double
  package var bytes: Double
  package var bound: String
  /// Of the format it computes in.
  package var peak: Double

  package init(
    phase: String, name: String, instances: Int, time: Double, energy: Double, flops: Double, bytes: Double,
    bound: String, peak: Double
  ) {
    self.phase = phase
    self.name = name
    self.instances = instances
    self.time = time
    self.energy = energy
    self.flops = flops
    self.bytes = bytes
    self.bound = bound
    self.peak = peak
  }
}

/// Something a run takes for granted, and who says so.
package struct Assumption: Sendable, Equatable {
  package var subject: String
  package var value: String
  package var source: String

  package init(_ subject: String, _ value: String, source: String) {
    self.subject = subject
    self.value = value
    self.source = source
  }
}

/// A sweep before it is in a store.
package struct SweepRecord: Sendable {
  /// Of everything that its points depend on.
  package var uid: String
  package var name: String
  package var title: String
  /// The whole sweep as JSON.
  package var document: String
  package var points: Int
  package var provenance: Provenance

  package init(uid: String, name: String, title: String, document: String, points: Int, provenance: Provenance) {
    self.uid = uid
    self.name = name
    self.title = title
    self.document = document
    self.points = points
    self.provenance = provenance
  }
}
