/// Every request is taken.
package struct AdmitAll: Admission {
  package static let description = PolicyDescription("none", "every request is taken", source: "the default")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var takesAll: Bool { true }
  package mutating func admits(_ request: RequestView, cluster: [ReplicaSignals]) -> Bool { true }
}
