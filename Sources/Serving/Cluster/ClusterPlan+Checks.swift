import Quantities

extension ClusterPlan {
  /// Whether prompts and answers are served apart.
  var isSplit: Bool { pools.contains { $0.role == .prefill } }

  /// What admission reads beyond counts of requests.
  var admissionNeeds: SignalNeeds {
    var needs: SignalNeeds = admission.looksAtCaches ? .occupancy : []
    // What is in cache need not be computed; signals that age cannot tell for a request that is new.
    if admission.looksAtPromptRates, signalAge == .zero { needs.insert(.cachedTokens) }
    return needs
  }

  /// - Throws: ``ClusterPlanError``, naming the field, what it is and what it should be.
  func check() throws(ClusterPlanError) {
    guard !pools.isEmpty else { throw ClusterPlanError("pools: found none, expected at least one") }
    for (index, pool) in pools.enumerated() {
      if pools[..<index].contains(where: { $0.name == pool.name }) {
        throw ClusterPlanError("pools[\(index)], name: '\(pool.name)' is the name of another pool")
      }
      try pool.check()
    }
    try checkRoles()
    try require("signal_age", signalAge, in: Seconds(0)...Self.longest)
    let readers = [("router", router.needs), ("decode_router", isSplit ? decodeRouter.needs : [])]
    for (field, needs) in readers where signalAge > .zero && needs.contains(.cachedTokens) {
      throw ClusterPlanError(
        "\(field): it looks into caches when a request comes, so signal_age must be 0 s, found \(signalAge)")
    }
  }

  /// Three years: with every draw the events stay within the clock.
  static let longest = Seconds(1e8)

  private func checkRoles() throws(ClusterPlanError) {
    let prefill = pools.first { $0.role == .prefill }
    let decode = pools.first { $0.role == .decode }
    if let prefill, decode == nil {
      throw ClusterPlanError("pools: '\(prefill.name)' has role prefill, so one must have role decode")
    }
    if let decode, prefill == nil {
      throw ClusterPlanError("pools: '\(decode.name)' has role decode, so one must have role prefill")
    }
    guard isSplit else {
      if transfers != nil { throw ClusterPlanError("transfers: no pool has role prefill, so nothing is moved") }
      if flipping != nil { throw ClusterPlanError("flipping: no pool has role prefill, so nothing can flip") }
      return
    }
    try checkTransfers()
    try checkSameCaches()
    if let flipping { try check(flipping) }
  }

  private func checkTransfers() throws(ClusterPlanError) {
    guard let transfers else { throw .noTransfers }
    guard transfers.bandwidth.value.isFinite, transfers.bandwidth.value >= 1 else {
      throw ClusterPlanError("transfers, bandwidth: found \(transfers.bandwidth), expected at least 1 B/s")
    }
    try require("transfers, latency", transfers.latency, in: Seconds(0)...Self.longest)
  }

  /// Caches move only between replicas of one model that keep them in one format.
  private func checkSameCaches() throws(ClusterPlanError) {
    let split = pools.filter { $0.role != .mixed }
    guard let first = split.first else { return }
    for pool in split.dropFirst() {
      let (a, b) = (first.replica.deployment, pool.replica.deployment)
      if a.model.name != b.model.name {
        throw ClusterPlanError(
          "pools: '\(first.name)' serves \(a.model.name) and '\(pool.name)' \(b.model.name); caches move only "
            + "between replicas of one model")
      }
      if a.plan.formats.kv != b.plan.formats.kv {
        throw ClusterPlanError(
          "pools: '\(first.name)' keeps its cache in \(a.plan.formats.kv.rawValue) and '\(pool.name)' in "
            + "\(b.plan.formats.kv.rawValue); caches move only between replicas of one KV format")
      }
    }
  }

  private func check(_ flipping: FlippingPlan) throws(ClusterPlanError) {
    guard flipping.threshold.isFinite, flipping.threshold > 0 else {
      throw ClusterPlanError("flipping, threshold: found \(flipping.threshold), expected a positive number")
    }
    try require("flipping, interval", flipping.interval, in: Seconds(1e-6)...Self.longest)
    try require("flipping, cool_down", flipping.coolDown, in: Seconds(0)...Self.longest)
    if let pool = pools.first(where: { $0.role != .mixed && $0.autoscaling != nil }) {
      throw ClusterPlanError("flipping: pool '\(pool.name)' is scaled, and replicas of scaled pools do not flip")
    }
  }
}

extension PoolPlan {
  func check() throws(ClusterPlanError) {
    guard (1...1_000_000).contains(count) else {
      throw ClusterPlanError("pool '\(name)', count: found \(count), expected a whole number from 1 to 1000000")
    }
    try require("pool '\(name)', start_up", startUp, in: Seconds(0)...ClusterPlan.longest)
    if let failures { try check(failures) }
    if let autoscaling { try check(autoscaling) }
  }

  private func check(_ failures: FailurePlan) throws(ClusterPlanError) {
    let field = "pool '\(name)', failures"
    guard failures.retries >= 0 else {
      throw ClusterPlanError("\(field), retries: found \(failures.retries), expected 0 or more")
    }
    switch failures.times {
    case .random(let meanUpTime, let meanRepair):
      try require("\(field), mean_up_time", meanUpTime, in: Seconds(1e-6)...ClusterPlan.longest)
      try require("\(field), mean_repair", meanRepair, in: Seconds(0)...ClusterPlan.longest)
    case .listed(let outages):
      for (index, outage) in outages.enumerated() {
        guard (0..<most).contains(outage.replica) else {
          throw ClusterPlanError(
            "\(field)[\(index)], replica: found \(outage.replica), expected a whole number from 0 to \(most - 1)")
        }
        try require("\(field)[\(index)], at", outage.at, in: Seconds(0)...ClusterPlan.longest)
        try require("\(field)[\(index)], repair", outage.repair, in: Seconds(0)...ClusterPlan.longest)
      }
    }
  }

  private func check(_ scaling: AutoscalingPlan) throws(ClusterPlanError) {
    let field = "pool '\(name)', autoscaling"
    try require("\(field), interval", scaling.interval, in: Seconds(1e-6)...ClusterPlan.longest)
    try require("\(field), cool_down", scaling.coolDown, in: Seconds(0)...ClusterPlan.longest)
    guard scaling.least >= 1, scaling.least <= scaling.most, scaling.most <= 1_000_000 else {
      throw ClusterPlanError(
        "\(field): found least \(scaling.least) and most \(scaling.most), expected 1 <= least <= most <= 1000000")
    }
    guard (scaling.least...scaling.most).contains(count) else {
      throw ClusterPlanError(
        "pool '\(name)', count: found \(count), expected \(scaling.least) to \(scaling.most) as its autoscaling says")
    }
  }
}

private func require(
  _ field: String, _ time: Seconds, in range: ClosedRange<Seconds>
) throws(ClusterPlanError) {
  guard time.value.isFinite, range.contains(time) else {
    throw ClusterPlanError("\(field): found \(time), expected from \(range.lowerBound) to \(range.upperBound)")
  }
}

/// A cluster that cannot be: the field at fault, what was found, and what is expected.
package struct ClusterPlanError: Error, CustomStringConvertible, Sendable {
  package let description: String

  init(_ description: String) { self.description = description }

  static let noTransfers = ClusterPlanError(
    "transfers: missing; pools of role prefill and decode need a link for caches")
}
