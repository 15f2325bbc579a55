/// The schedulers there are.
package enum Schedulers {
  /// In the order help lists them.
  package static let all: [any Scheduler.Type] = [FirstComeFirstServed.self]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  /// - Parameter text: A name with parameters, for example `sarathi:chunk=512`.
  package static func make(_ text: String) throws(PolicyError) -> any Scheduler {
    let choice = try PolicyChoice.parse(text, kind: "scheduler", among: descriptions)
    for type in all where type.description.name == choice.name { return type.init(choice.values) }
    throw PolicyError("unknown scheduler '\(text)'")
  }
}
