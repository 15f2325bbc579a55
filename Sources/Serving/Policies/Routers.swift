/// The routers there are.
package enum Routers {
  package static let all: [any Router.Type] = [
    RoundRobin.self, RandomChoice.self, PowerOfTwo.self, LeastOutstanding.self, LeastTokens.self, LeastKV.self,
    SessionAffinity.self, PrefixAffinity.self, CostAware.self, PredictedLength.self,
  ]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  package static func make(_ text: String, seed: UInt64) throws(PolicyError) -> any Router {
    let choice = try PolicyChoice.parse(text, kind: "router", among: descriptions)
    for type in all where type.description.name == choice.name { return type.init(choice.values, seed: seed) }
    throw PolicyError("unknown router '\(text)'")
  }
}
