/// The ways to admit requests there are.
package enum Admissions {
  /// In the order help lists them.
  package static let all: [any Admission.Type] = [
    AdmitAll.self, TokenBucket.self, QueueLimit.self, DeadlineAdmission.self, CacheLimit.self,
  ]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  /// - Parameter text: A name with parameters, for example `queue-limit:waiting=100`.
  package static func make(_ text: String) throws(PolicyError) -> any Admission {
    try make(PolicyChoice.parse(text, kind: "admission", among: descriptions))
  }

  /// - Parameter parameters: Names and values as they were written.
  package static func make(
    name: String, parameters: [(name: String, value: String)]
  ) throws(PolicyError) -> any Admission {
    try make(PolicyChoice.make(name: name, parameters: parameters, kind: "admission", among: descriptions))
  }

  private static func make(_ choice: PolicyChoice) throws(PolicyError) -> any Admission {
    for type in all where type.description.name == choice.name { return try type.init(choice.values) }
    throw PolicyError("unknown admission '\(choice.name)'")
  }
}
