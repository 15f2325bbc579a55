import EventKernel
import Quantities
import Statistics
import Workloads

extension ServingEngine {
  /// One answer is whole or given up; a request of several samples ends with the last of them.
  mutating func finish(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    let family = table[row].family
    guard family < 0 else { return try finishSample(row, family, &source, observer) }
    try report(row, &source, observer)
    remove(row)
  }

  private mutating func finishSample(
    _ row: Int32, _ family: Int32, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    table[family].openSamples -= 1
    let isLast = table[family].openSamples == 0
    if row != family {
      table[family].siblingTokens += table[row].generated
      remove(row)
    }
    guard isLast else { return }
    try report(family, &source, observer)
    remove(family)
  }

  /// A row is free unless a place in a line, or in a static batch, still refers to it.
  private mutating func remove(_ row: Int32) {
    if table[row].isInLine || table[row].isPadding { table[row].phase = .ended } else { table.remove(row) }
  }

  private mutating func report(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    var record = RequestRecord(table[row], table[row].givenUpAs ?? .completed, end: now)
    if !requestTimes.isEmpty, record.replica >= 0 {
      record.delay(by: requestTimes[record.replica].nanoseconds(inputTokens: record.inputTokens))
    }
    if let options = measurement.fluidity { follow(row, options, &record) }
    try end(record, of: table[row].request, &source, observer)
  }

  private mutating func follow(_ row: Int32, _ options: FluidityOptions, _ record: inout RequestRecord) {
    record.tokenTimes = table.trails?.times(row) ?? []
    if record.delay > 0 { for index in record.tokenTimes.indices { record.tokenTimes[index] += record.delay } }
    guard record.outcome == .completed else { return }
    let first =
      switch options.firstToken {
      case .fixed(let time): time.nanoseconds
      case .unloaded(let slack):
        unloaded[prefiller(of: record.replica)].firstToken(record.inputTokens) + slack.nanoseconds
      }
    let deadlines = FluidityIndex.Deadlines(first: first, between: max(1, options.between.nanoseconds))
    record.fluidity = RequestFluidity(times: record.tokenTimes, arrival: record.arrival, deadlines)
  }

  /// The replica itself, or for one that decodes only, the first one that does its prompts.
  private func prefiller(of index: Int) -> Int {
    guard replicas[index].role == .decode else { return index }
    return replicas.firstIndex { $0.role == .prefill } ?? index
  }

  mutating func end(
    _ record: RequestRecord, of request: Request, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    ended += 1
    metrics.add(record)
    try observer.onEnd?(record)
    let next = source.followUp(
      after: request, endedAt: Instant(nanoseconds: now + record.delay), completed: record.outcome == .completed)
    if let next { schedule(.followUp(next), at: next.arrival) }
  }

  // MARK: Giving up

  /// A request's user, the runtime or the cluster gives up on it, all of its samples.
  mutating func giveUp(
    _ row: Int32, _ outcome: RequestRecord.Outcome, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    let samples = table[row].family < 0 ? [row] : table.family(row)
    for sample in samples where table[sample].givenUpAs == nil {
      table[sample].givenUpAs = outcome
      try abandon(sample, &source, observer)
    }
  }

  /// One that waits ends; one that runs ends with its step, one that moves when it is there.
  private mutating func abandon(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    let index = Int(table[row].replica)
    if index < 0 {
      unplaced.removeAll { $0 == row }
      try finish(row, &source, observer)
    } else if table[row].phase == .transferring, transfers?.moves[row] != nil {
      return
    } else if table[row].phase == .transferring, transfers?.waits(row) == true {
      transfers?.forget(row)
      try leave(row, &source, observer)
    } else {
      if replicas[index].giveUp(row, now: now, table) { try finish(row, &source, observer) }
      proceed(index)
    }
  }

  // MARK: The end of the run

  mutating func reportUnfinished(_ observer: Observer) throws {
    var rows = table.indices.filter { row in
      table[row].phase != .ended && (table[row].family < 0 || table[row].family == row)
    }
    rows.sort { table[$0].id < table[$1].id }
    for row in rows {
      var record = RequestRecord(table[row], .unfinished, end: now)
      record.generatedTokens = openTokens(row)
      metrics.add(record)
      try observer.onEnd?(record)
    }
  }

  /// What replicas that were on without a step drew up to a time.
  func idleEnergy(at time: Int64) -> Joules {
    var idle = Joules.zero
    for index in members.indices {
      let member = members[index]
      let rests = member.isOn && !replicas[index].isBusy
      let rest = rests ? max(0, time - member.lastEnd) : 0
      idle += pools[member.pool].plan.replica.idlePower * Seconds(Double(member.idleNanoseconds + rest) / 1e9)
    }
    return idle
  }

  func result(interrupted: Bool) -> ServingResult {
    ServingResult(
      metrics: metrics, replicas: members.count, blocks: replicas.reduce(0) { $0 + $1.limits.blocks },
      counts: replicas.reduce(into: ReplicaCounts()) { $0.add($1.counts) }, classes: classes, arrived: arrived,
      firstArrival: firstArrival, end: lastChange, idleEnergy: idleEnergy(at: lastChange), interrupted: interrupted,
      pools: pools.map(use), cluster: cluster)
  }

  private func use(_ pool: Pool) -> PoolUse {
    var nanoseconds: Int64 = 0
    for index in pool.members {
      nanoseconds += members[index].onNanoseconds
      if members[index].isOn { nanoseconds += max(0, lastChange - members[index].onSince) }
    }
    let time = Seconds(Double(nanoseconds) / 1e9)
    return PoolUse(name: pool.plan.name, replicaTime: time, cost: pool.plan.replica.price.map { $0 * time })
  }
}
