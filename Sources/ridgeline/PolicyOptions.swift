import ArgumentParser
import CostModels
import Quantities
import Serving
import Studies

/// Policies, what a replica does beyond the plainest serving, and how many there are.
struct PolicyOptions: ParsableArguments {
  @Option(help: "Who is served first: a name from 'ridgeline list schedulers', as sarathi:chunk=512.")
  var scheduler: String?

  @Option(help: "How steps are composed: \(BatchingMix.allCases.map(\.rawValue).joined(separator: ", ")).")
  var batching: BatchingMix?

  @Option(parsing: .unconditional, help: "Equal replicas behind the router.")
  var replicas: Int?

  @Option(help: "Who serves a request: a name from 'ridgeline list routers'.")
  var router: String?

  @Option(help: "Who is turned away: a name from 'ridgeline list admissions'.")
  var admission: String?

  @Option(help: ArgumentHelp("Age of what router and admission see of replicas.", valueName: "time"))
  var signalAge: String?

  @Flag(inversion: .prefixedNo, help: "Share the cache of prompts that begin alike; default: the runtime's.")
  var prefixCache: Bool?

  @Option(help: "Which unused prefix goes first: \(EvictionOrder.allCases.map(\.rawValue).joined(separator: ", ")).")
  var eviction: EvictionOrder?

  @Option(help: "How a request that loses its place gives up its cache: recompute or swap.")
  var preemption: PreemptionMethod?

  @Option(help: ArgumentHelp("Host memory of each device to swap to; default: 4 GiB.", valueName: "size"))
  var swapSpace: String?

  @Option(help: ArgumentHelp("Board power of each device that steps stay under.", valueName: "power"))
  var powerCap: String?

  /// Replaces what options name in a scenario.
  func apply(to scenario: inout Scenario) throws {
    if let scheduler { scenario.scheduler = Located(scheduler) }
    if let router { scenario.router = Located(router) }
    if let admission { scenario.admission = Located(admission) }
    if let signalAge { scenario.signalAge = try quantity(signalAge, "--signal-age", TimeDimension.self) }
    if let replicas {
      guard scenario.pools.isEmpty else {
        throw UsageError("--replicas does not go with \(scenario.name), whose pools count their own replicas")
      }
      scenario.replicas = try checked(replicas, "--replicas", 1...100_000)
    }
    try applyReplica(to: &scenario.replica)
  }

  private func applyReplica(to replica: inout ReplicaSettings) throws {
    if let batching { replica.batching = Batching(batching) }
    if let prefixCache { replica.prefixCache = prefixCache }
    if let eviction {
      guard replica.prefixCache != false else { throw UsageError("--eviction does not go without a prefix cache") }
      replica.eviction = eviction
      replica.prefixCache = true
    }
    if let preemption { replica.preemption = preemption }
    if let swapSpace {
      guard replica.preemption == .swap else { throw UsageError("--swap-space goes with --preemption swap") }
      replica.swap.space = try quantity(swapSpace, "--swap-space", SizeDimension.self)
    }
    if let powerCap { replica.powerCap = try quantity(powerCap, "--power-cap", PowerDimension.self) }
  }
}

/// A quantity from the command line, positive.
func quantity<D>(_ text: String, _ option: String, _: D.Type) throws -> Quantity<D> {
  guard let quantity = try? Quantity<D>(parsing: text), quantity.value > 0, quantity.value < 1e30 else {
    throw UsageError("\(option): found '\(text)', expected a positive \(D.title) such as '1 \(D.symbols[0].text)'")
  }
  return quantity
}

extension BatchingMix: ExpressibleByArgument {}
extension EvictionOrder: ExpressibleByArgument {}
extension PreemptionMethod: ExpressibleByArgument {}
