import EventKernel
import Execution
import Quantities
import Workloads

/// Replays traffic through one replica, event by event.
///
/// Two kinds of event drive it: a request arrives, a step ends. At equal times arrivals come first, so that the step
/// formed then can admit them. Same traffic, same bytes out.
package struct ServingEngine {
  private enum Event {
    case arrival(Request)
    case stepEnd(Int64)
  }

  /// What the caller may do while a run goes on.
  package struct Observer {
    /// Called for every request that ends.
    package var onEnd: ((RequestRecord) throws -> Void)?
    /// Called now and then with the number of requests that have ended; false stops the run.
    package var shouldContinue: ((Int) -> Bool)?

    package init(
      onEnd: ((RequestRecord) throws -> Void)? = nil, shouldContinue: ((Int) -> Bool)? = nil
    ) {
      self.onEnd = onEnd
      self.shouldContinue = shouldContinue
    }
  }

  private let idlePower: Watts
  private var replica: Replica
  private var queue = EventQueue<Event>()
  private var metrics = ServingMetrics()
  private var arrived = 0
  private var busy = false
  private var firstArrival: Int64 = 0
  private var lastChange: Int64 = 0
  private var idleNanoseconds: Int64 = 0

  /// - Throws: ``ReplayError`` or ``ServingError`` when the deployment cannot be replayed.
  package init(_ deployment: Deployment, limits: ServingLimits) throws {
    let ledger = deployment.memoryLedger()
    guard limits.blocks > 0 else {
      throw ServingError.noCache(
        model: deployment.model.name, platform: deployment.platform.name, missing: ledger.missing)
    }
    guard limits.maxSequences <= limits.maxBatchedTokens else {
      throw ServingError.budget(sequences: limits.maxSequences, tokens: limits.maxBatchedTokens)
    }
    replica = Replica(limits: limits, costs: try StepTable(deployment))
    idlePower = deployment.platform.device.power.idle * Double(deployment.parallelism.devices)
  }

  /// Runs until the traffic is served, or the observer stops it.
  /// - Throws: `DataError` from the traffic, or what the observer throws.
  package mutating func run(_ source: inout any RequestSource, observer: Observer = Observer()) throws -> ServingResult
  {
    try scheduleArrival(&source)
    firstArrival = queue.nextTime?.nanoseconds ?? 0
    lastChange = firstArrival
    var events = 0
    var stopped = false
    while let event = queue.next() {
      switch event {
      case .arrival(let request):
        try arrive(request, observer)
        try scheduleArrival(&source)
      case .stepEnd(let nanoseconds):
        busy = false
        try replica.endStep(now: queue.now.nanoseconds, nanoseconds: nanoseconds, &metrics) { record in
          try observer.onEnd?(record)
        }
        lastChange = queue.now.nanoseconds
      }
      if !busy, !arrivesNow() { try startStep() }
      events += 1
      if events & 0xFFF == 0, observer.shouldContinue?(metrics.completed + metrics.rejected) == false {
        stopped = true
        break
      }
    }
    try endRun(observer)
    return ServingResult(
      metrics: metrics, limits: replica.limits, arrived: arrived, firstArrival: firstArrival, end: lastChange,
      idleEnergy: idlePower * Seconds(Double(idleNanoseconds) / 1e9), preemptions: replica.preemptions,
      interrupted: stopped)
  }

  private mutating func scheduleArrival(_ source: inout any RequestSource) throws {
    guard let request = try source.next() else { return }
    queue.schedule(.arrival(request), at: request.arrival, priority: 0)
  }

  private mutating func arrive(_ request: Request, _ observer: Observer) throws {
    let waiting = RunningRequest(id: arrived, request)
    arrived += 1
    guard replica.canServe(waiting) else {
      metrics.rejected += 1
      try observer.onEnd?(RequestRecord(waiting, .rejected))
      return
    }
    replica.enqueue(waiting)
    metrics.peakWaiting = max(metrics.peakWaiting, replica.waiting.count)
  }

  /// Whether another request arrives at this very moment; the step waits for it.
  private func arrivesNow() -> Bool { queue.nextTime == queue.now }

  private mutating func startStep() throws {
    let now = queue.now.nanoseconds
    guard let cost = replica.beginStep(now: now) else { return }
    guard let end = queue.now.adding(cost.nanoseconds) else { throw ServingError.beyondClock }
    idleNanoseconds += now - lastChange
    metrics.addStep(
      cost.nanoseconds, energy: cost.energy, sequences: replica.running, blocks: replica.usedBlocks)
    busy = true
    queue.schedule(.stepEnd(cost.nanoseconds), at: end, priority: 1)
  }

  private mutating func endRun(_ observer: Observer) throws {
    for record in replica.unfinished() {
      metrics.unfinished += 1
      try observer.onEnd?(record)
    }
  }
}

/// Why a deployment cannot serve at all.
package enum ServingError: Error, CustomStringConvertible, Sendable {
  case noCache(model: String, platform: String, missing: Bytes)
  case budget(sequences: Int, tokens: Int)
  case beyondClock

  package var description: String {
    switch self {
    case .noCache(let model, let platform, let missing):
      "\(model) leaves no room for a KV cache on \(platform): \(missing) are missing on each device; "
        + "try more tensor parallelism (--tp) or a narrower weight format (--weights)"
    case .beyondClock: "a step would end beyond the simulated clock, 292 years after the start"
    case .budget(let sequences, let tokens):
      "max_num_seqs \(sequences) exceeds max_num_batched_tokens \(tokens): each sequence decodes one token a step"
    }
  }
}
