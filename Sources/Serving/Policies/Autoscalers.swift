/// The autoscalers there are.
package enum Autoscalers {
  /// In the order help lists them.
  package static let all: [any Autoscaler.Type] = [
    OutstandingTarget.self, WaitingThresholds.self, OccupancyThresholds.self, AverageForecast.self, HoltForecast.self,
  ]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  /// - Parameter text: A name with parameters, for example `outstanding:target=32`.
  package static func make(_ text: String) throws(PolicyError) -> any Autoscaler {
    let choice = try PolicyChoice.parse(text, kind: "autoscaler", among: descriptions)
    for type in all where type.description.name == choice.name { return type.init(choice.values) }
    throw PolicyError("unknown autoscaler '\(text)'")
  }
}
