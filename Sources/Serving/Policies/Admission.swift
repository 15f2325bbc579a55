/// Decides at arrival whether a request is taken at all.
///
/// To add one: a file in `Admissions`, and a line in ``Admissions/all``.
package protocol Admission: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  init(_ values: PolicyValues) throws(PolicyError)

  /// Whether every request is taken, so that nothing need be asked.
  var takesAll: Bool { get }
  /// Whether it looks at how full caches are, which takes time to report.
  var looksAtCaches: Bool { get }
  /// Whether it looks at how fast prompts are computed, which takes time to measure.
  var looksAtPromptRates: Bool { get }
  /// - Parameter cluster: Signals of every replica that is up and could serve the request, at least one.
  mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool
}

extension Admission {
  package var takesAll: Bool { false }
  package var looksAtCaches: Bool { false }
  package var looksAtPromptRates: Bool { false }
}
