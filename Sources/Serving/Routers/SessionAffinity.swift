/// Requests of one session to one replica, by hash, unless it has too much to do.
///
/// Each replica has a weight for each session, and the highest wins: when a replica comes or goes, only its own sessions
/// move. A replica with more than its share of the requests is passed over for the next in weight.
package struct SessionAffinity: Router {
  package static let description = PolicyDescription(
    "session-affinity",
    "one replica for all requests of a session, or of a prompt's stream, by hash; the next one while "
      + "it has more than so many times the mean of requests",
    source: "rendezvous hashing (Thaler and Ravishankar 1998) with bounded loads (Mirrokni et al., SODA 2018)",
    [PolicyParameter("load", "requests at a replica, as a multiple of the mean plus one", 1...1000, standard: 1.25)])

  private let load: Double
  private let seed: UInt64

  package init(_ values: PolicyValues = PolicyValues(standardsOf: description), seed: UInt64 = 0) {
    load = values["load"]
    self.seed = seed
  }

  package func choose(_ request: RoutedRequest, among replicas: [ReplicaSignals]) -> Int {
    let total = replicas.reduce(0) { $0 + $1.outstanding } + 1
    let bound = Int((load * Double(total) / Double(replicas.count)).rounded(.up))
    let key = Self.mixed(seed &+ Self.key(request))
    var best: (index: Int, weight: UInt64)?
    for index in replicas.indices where replicas[index].outstanding < bound {
      let weight = Self.mixed(key ^ Self.mixed(UInt64(replicas[index].replica) &+ 1))
      if best.map({ weight > $0.weight }) ?? true { best = (index, weight) }
    }
    // Somebody is below the bound, which is at least the mean of all and this request.
    return best?.index ?? 0
  }

  /// What stays together: the session, else the stream of the prompt, else nothing but the request.
  private static func key(_ request: RoutedRequest) -> UInt64 {
    if request.session >= 0 { return UInt64(request.session) << 2 }
    if request.stream >= 0 { return UInt64(request.stream) << 2 | 1 }
    return UInt64(request.id) << 2 | 2
  }

  /// The finaliser of SplitMix64 (S. Vigna, public domain).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
