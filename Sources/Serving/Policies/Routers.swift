/// The routers there are.
package enum Routers {
  package static let all: [any Router.Type] = [RoundRobin.self]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  package static func make(_ text: String, seed: UInt64) throws(PolicyError) -> any Router {
    let choice = try PolicyChoice.parse(text, kind: "router", among: descriptions)
    for type in all where type.description.name == choice.name { return type.init(choice.values, seed: seed) }
    throw PolicyError("unknown router '\(text)'")
  }
}

/// The ways to admit requests there are.
package enum Admissions {
  package static let all: [any Admission.Type] = [AdmitAll.self]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  package static func make(_ text: String) throws(PolicyError) -> any Admission {
    let choice = try PolicyChoice.parse(text, kind: "admission", among: descriptions)
    for type in all where type.description.name == choice.name { return type.init(choice.values) }
    throw PolicyError("unknown admission '\(text)'")
  }
}
