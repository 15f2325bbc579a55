import CostModels
import Execution
import Hardware
import ModelGraph
import Quantities
import Serving
import Techniques

/// Turns settings into a replica: names into files, what is open into the runtime's own ways.
struct ReplicaBuilder {
  let library: Library
  let model: Located
  /// How the cluster's scheduler composes steps; nothing when it leaves that to the replica.
  let scheduler: any Scheduler

  static let standardRuntime = "vllm-v1"

  func replica(_ settings: ReplicaSettings, role: ReplicaOptions.Role) throws -> ReplicaPlan {
    let whole = try deployment(settings)
    try refuseUnreplayable(whole)
    let deployment = whole.withoutDrafts
    guard settings.limits.microBatchSequences == nil || deployment.parallelism.pipeline > 1 else {
      throw ScenarioError("micro_batch_seqs is for pipeline stages; leave it out, or give pp or parallelism.pipeline")
    }
    var options = try options(settings, deployment)
    options.role = role
    options.speculation = try settings.speculation.map { try speculation($0, settings) }
    if let own = try whole.decoding.flatMap(speculation) {
      guard settings.speculation == nil else {
        throw ScenarioError("speculation and a technique that drafts say the same twice; leave out one")
      }
      options.speculation = own
    }
    return try ReplicaPlan(
      deployment, limits: settings.limits.limits(of: deployment, draft: options.speculation?.draft), options: options,
      batching: batching(settings, deployment),
      powerCap: settings.powerCap.map { $0 * Double(deployment.parallelism.devices) })
  }

  /// What a static batch can be asked and a replay cannot: the engine forks samples where answers begin, and counts its
  /// cache in blocks of tokens that all layers keep.
  private func refuseUnreplayable(_ deployment: Deployment) throws {
    guard deployment.workload.sharedAnswer == 0 else {
      throw ScenarioError(
        "tree-search: branches that begin inside an answer cannot be replayed, where samples fork at its start; "
          + "use samples, or predict")
    }
    guard deployment.model.keepsFixedBudgets, deployment.model.commonBudget == nil else { return }
    throw ScenarioError(
      "\(deployment.techniques.joined(separator: ", ")): layers keep different numbers of tokens, which blocks that all "
        + "layers share cannot count; predict prices it")
  }

  /// How a technique's drafts are replayed.
  private func speculation(_ decoding: Decoding) throws -> Speculation? {
    guard decoding.alone == 0 else {
      throw ScenarioError("a draft model that answers by itself cannot be replayed yet; predict prices it")
    }
    var own = try ownSpeculation(decoding)
    if let way = decoding.way, let drafted = decoding.reasoning?.tokensPerStep ?? own?.verified {
      own?.trip = way.round(tokens: drafted)
    }
    return own
  }

  private func ownSpeculation(_ decoding: Decoding) throws -> Speculation? {
    guard let reasoning = decoding.reasoning, let assistant = decoding.assistant else {
      return decoding.drafting.map { drafting in
        Speculation(
          acceptance: Array(repeating: drafting.equalAcceptance, count: drafting.depth), verified: drafting.verified,
          draft: decoding.draft)
      }
    }
    guard decoding.drafting == nil else {
      throw ScenarioError(
        "step-speculation with drafts inside the steps cannot be replayed, where one small model runs beside the large "
          + "one; leave out one, or predict")
    }
    return Speculation(
      steps: reasoning.tokensPerStep, kept: reasoning.accepted, scoring: reasoning.scoringTokens, draft: assistant)
  }

  private func speculation(_ speculation: SpeculationSettings, _ settings: ReplicaSettings) throws -> Speculation {
    // A draft model keeps its own formats and runs under the same plan.
    var drafting = settings
    drafting.formats = FormatRequest(kv: settings.formats.kv)
    drafting.plan = nil
    let draft = try speculation.draft.map { try deployment(drafting, model: $0) }
    return Speculation(
      acceptance: speculation.acceptance, verified: speculation.verified, batchLimit: speculation.batchLimit ?? .max,
      draft: draft)
  }

  func deployment(_ settings: ReplicaSettings, model other: Located? = nil) throws -> Deployment {
    let model = other ?? model
    guard let hardware = settings.hardware else {
      throw ScenarioError("--hardware is missing, for example --hardware h100-sxm")
    }
    let runtime = settings.runtime ?? Located(Self.standardRuntime)
    // Each name is looked up by itself first, so that a name nobody has is reported where it stands.
    _ = try model.resolved { try library.models.find($0) }
    _ = try hardware.resolved { try library.platforms.find($0) }
    _ = try runtime.resolved { try library.runtimes.find($0) }
    var request = Library.Request(
      model: model.text, hardware: hardware.text, runtime: runtime.text, formats: settings.formats,
      parallelism: settings.parallelism ?? Parallelism(),
      techniques: other == nil
        ? try (settings.techniques ?? []).map { try $0.resolved { try Techniques.parse($0) } } : [])
    request.scale = settings.scale ?? HardwareScale()
    request.plan = try settings.plan.map { try $0.resolved { try library.plans.find($0) } }
    return try library.deployment(request)
  }

  private func batching(_ settings: ReplicaSettings, _ deployment: Deployment) throws -> Batching {
    let runtime = deployment.runtime
    let name = type(of: scheduler).description.name
    if scheduler.batching != nil, settings.batching != nil || settings.limits.longPrefillThreshold != nil {
      let given = settings.batching == nil ? "long_prefill_threshold" : "batching"
      throw ScenarioError("scheduler '\(name)' composes steps itself, so \(given) would be ignored; leave out one")
    }
    var batching = settings.batching ?? Batching(runtime.batching)
    batching.chunk = settings.limits.longPrefillThreshold ?? batching.chunk ?? runtime.longPrefillThreshold
    return batching
  }

  private func options(_ settings: ReplicaSettings, _ deployment: Deployment) throws -> ReplicaOptions {
    let runtime = deployment.runtime
    var options = ReplicaOptions()
    // What has left a cache of a fixed budget cannot be found there again.
    let keepsPrefixes = deployment.model.commonBudget == nil
    guard keepsPrefixes || settings.prefixCache != true else {
      throw ScenarioError("a cache of a fixed number of tokens keeps no prefixes for others; leave out prefix_cache")
    }
    options.prefixCache = keepsPrefixes && settings.prefixCache ?? runtime.prefixCache
    options.eviction = settings.eviction ?? runtime.eviction
    options.preemption = settings.preemption ?? runtime.preemption
    if options.preemption == .swap {
      let block = deployment.graph.footprint.kvPerTokenEveryLayer * Double(runtime.blockSize)
      options.swapTime = block > .zero ? try block / hostBandwidth(settings, deployment) : .zero
      let space = settings.swap.space ?? SwapSettings.standardSpace
      options.swapBlocks = block > .zero ? Int(min(1e9, (space / block).rounded(.down))) : 0
    }
    if let adapters = settings.adapters {
      options.adapterSlots = adapters.slots
      options.adapterLoad = adapters.loadTime
    }
    return options
  }

  /// Between one device and host memory, one way.
  private func hostBandwidth(_ settings: ReplicaSettings, _ deployment: Deployment) throws -> BytesPerSecond {
    if let bandwidth = settings.swap.bandwidth { return bandwidth }
    let device = deployment.platform.device
    guard let host = device.link(.host) else {
      throw ScenarioError(
        "\(device.name) has no host link, so caches cannot be swapped to host memory; give the preemption a bandwidth")
    }
    return try library.platforms.links.find(host.link).bandwidth * Double(host.count)
  }
}
