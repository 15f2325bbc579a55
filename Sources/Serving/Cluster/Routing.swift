import EventKernel

/// Who may take requests, what routers and admission see of them, and the policies that decide.
///
/// Counts of requests are noted as they change, so that an arrival costs no more than a look at each.
struct Routing {
  var router: any Router
  var decodeRouter: any Router
  var admission: any Admission
  var lengths: LengthPredictor
  var decodeLengths: LengthPredictor
  /// What any of them reads beyond counts.
  let needs: SignalNeeds
  /// Nanoseconds between refreshes; 0 shows the replicas as they are.
  let age: Int64
  /// Whether anybody looks at all.
  let isTracked: Bool
  /// Of every member as it is, and as it is shown.
  private(set) var signals: [ReplicaSignals]
  var shown: [ReplicaSignals]
  /// Members that take prompts, and those that take caches; in order.
  var takers: [Int] = []
  var decoders: [Int] = []
  /// Those of a request, kept for their memory.
  var candidates: [ReplicaSignals] = []
  /// Whether each pool can serve a request, likewise, and whether all can.
  var serves: [Bool]
  var allServe = true
  /// Whether every member is a candidate, as it is.
  private var isAll = false

  init(_ plan: ClusterPlan, _ members: [Member]) {
    router = plan.router
    decodeRouter = plan.decodeRouter
    admission = plan.admission
    lengths = LengthPredictor(plan.router.lengths, seed: plan.seed, stream: "serving.router.lengths")
    decodeLengths = LengthPredictor(plan.decodeRouter.lengths, seed: plan.seed, stream: "serving.decode-router.lengths")
    let decodeNeeds = plan.isSplit ? plan.decodeRouter.needs : []
    needs = plan.router.needs.union(decodeNeeds).union(plan.admissionNeeds)
    age = Int64(plan.signalAge.value * 1e9)
    isTracked = members.count > 1 || !plan.admission.takesAll
    serves = Array(repeating: false, count: plan.pools.count)
    let speeds = plan.pools.count > 1 ? plan.pools.map(\.replica.referenceSpeed) : [1]
    let fastest = speeds.max() ?? 1
    signals = members.enumerated().map { index, member in
      var signals = ReplicaSignals(replica: index)
      signals.price = plan.pools[member.pool].replica.price?.value ?? 0
      signals.speed = speeds[member.pool] / fastest
      return signals
    }
    shown = signals
  }

  // MARK: Choosing

  /// Whether every member takes a request and is seen as it is, so that candidates need not be gathered.
  mutating func showsAll(at now: Int64) -> Bool {
    isAll = allServe && age == 0 && needs.isEmpty && takers.count == signals.count
    if isAll { for index in signals.indices { signals[index].time = now } }
    return isAll
  }

  mutating func clearCandidates() {
    isAll = false
    candidates.removeAll(keepingCapacity: true)
  }

  var hasCandidates: Bool { isAll || !candidates.isEmpty }

  mutating func admits(_ view: RequestView) -> Bool {
    isAll ? admission.admits(view, cluster: signals) : admission.admits(view, cluster: candidates)
  }

  /// The member that the router chooses.
  mutating func choose(_ request: RoutedRequest) -> Int {
    if isAll { return router.choose(request, among: signals) }
    return candidates.count == 1 ? candidates[0].replica : candidates[router.choose(request, among: candidates)].replica
  }

  // MARK: Loads

  /// Writes down what a replica has to do.
  mutating func note(_ index: Int, _ load: ReplicaLoad) {
    signals[index].take(load)
  }
}

extension ReplicaSignals {
  mutating func take(_ load: ReplicaLoad) {
    outstanding = load.outstanding
    waiting = load.waiting
    running = load.running
    waitingTokens = load.waitingTokens
    promptRate = load.promptRate
  }
}

/// What a replica has to do.
struct ReplicaLoad {
  var outstanding: Int
  var waiting: Int
  var running: Int
  var waitingTokens: Int
  var promptRate: Double
}

extension Replica {
  /// Changes nothing; a replica that is only read would be copied to be asked.
  var load: ReplicaLoad {
    mutating get {
      ReplicaLoad(
        outstanding: outstanding, waiting: waiting.count, running: running, waitingTokens: backlog.tokens,
        promptRate: backlog.rate)
    }
  }
}

extension ServingEngine {
  /// Writes down what a replica has to do, where anybody looks.
  mutating func note(_ index: Int) {
    guard routing.isTracked else { return }
    // Read first: passing the replica itself would copy it.
    let load = replicas[index].load
    routing.note(index, load)
  }
}

extension RoutedRequest {
  init(_ live: borrowing LiveRequest, predicted: Int, now: Int64) {
    self.init(
      now: now, id: live.id, inputTokens: live.inputTokens, predictedTokens: predicted, session: live.request.session,
      stream: live.request.prompt.stream)
  }
}
