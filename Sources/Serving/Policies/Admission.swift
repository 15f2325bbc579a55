/// Decides at arrival whether a request is taken at all.
package protocol Admission: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  init(_ values: PolicyValues)
  /// - Parameter cluster: Signals of every replica that is up.
  mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool
  /// Whether it looks at the replicas.
  var looksAtReplicas: Bool { get }
}

extension Admission {
  package var looksAtReplicas: Bool { true }
}

/// Every request is taken.
package struct AdmitAll: Admission {
  package static let description = PolicyDescription("none", "every request is taken", source: "the default")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var looksAtReplicas: Bool { false }
  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool { true }
}
