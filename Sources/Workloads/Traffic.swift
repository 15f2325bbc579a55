/// Traffic to make up: how requests arrive, of which classes, and how long they are.
package struct Traffic: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String]
  /// Arrivals that classes with a share divide between them.
  package var arrivals: ArrivalProcess?
  /// At least one.
  package var classes: [TrafficClass]
  /// Requests to generate when nobody says otherwise.
  package var requests: Int
  package var notes: String?
  /// Citation by the path of the number it supports.
  package var citations: [String: String]

  /// All arrival processes, those of classes included.
  private var processes: [ArrivalProcess] {
    (arrivals.map { [$0] } ?? []) + classes.compactMap(\.ownArrivals)
  }

  /// Whether an answer of a closed loop would have to bring forth several requests at once.
  var branchesInClosedLoop: Bool {
    classes.contains { ($0.ownArrivals ?? arrivals)?.closedLoop != nil && $0.sessions?.branches != nil }
  }

  /// Whether some requests come only after an answer: in sessions and closed loops.
  package var followsAnswers: Bool { meanRate == nil || classes.contains { $0.sessions != nil } }

  /// Arrivals a second in the long run, a session counting once; nothing where a closed loop takes part.
  package var meanRate: Double? {
    let rates = processes.map(\.meanRate)
    return rates.contains { $0 == nil } ? nil : rates.reduce(0) { $0 + ($1 ?? 0) }
  }

  /// The same traffic at another mean rate; shares of classes stay.
  /// - Precondition: `rate` is positive.
  /// - Returns: Nothing when a closed loop takes part, whose rate the answers decide.
  package func scaled(toRate rate: Double) -> Traffic? {
    precondition(rate > 0 && rate.isFinite, "a request rate is positive")
    guard let mean = meanRate else { return nil }
    var scaled = self
    if processes.count == 1 {
      scaled.arrivals = arrivals?.scaled(toRate: rate)
      for index in classes.indices { scaled.classes[index].arrivals.scale { $0.scaled(toRate: rate) } }
      return scaled
    }
    scaled.arrivals = arrivals?.scaled(by: rate / mean)
    for index in classes.indices { scaled.classes[index].arrivals.scale { $0.scaled(by: rate / mean) } }
    return scaled
  }
}
