/// The schedulers there are.
package enum Schedulers {
  /// In the order help lists them.
  package static let all: [any Scheduler.Type] = [
    FirstComeFirstServed.self, StaticBatches.self, IterationLevel.self, Sarathi.self, PrefillFirst.self,
    DecodeFirst.self, ShortestJobOracle.self, ShortestJobPredicted.self, ShortestRemainingOracle.self,
    ShortestRemainingPredicted.self, EarliestDeadline.self, MultiLevelFeedback.self, VirtualTokenCounter.self,
    AgeingPriority.self, ExpressionScheduler.self,
  ]

  package static var descriptions: [PolicyDescription] { all.map { $0.description } }

  /// - Parameter text: A name with parameters, for example `sarathi:chunk=512`.
  package static func make(_ text: String) throws(PolicyError) -> any Scheduler {
    try make(PolicyChoice.parse(text, kind: "scheduler", among: descriptions))
  }

  /// - Parameter parameters: Names and values as they were written.
  package static func make(
    name: String, parameters: [(name: String, value: String)]
  ) throws(PolicyError) -> any Scheduler {
    try make(PolicyChoice.make(name: name, parameters: parameters, kind: "scheduler", among: descriptions))
  }

  private static func make(_ choice: PolicyChoice) throws(PolicyError) -> any Scheduler {
    for type in all where type.description.name == choice.name { return try type.init(choice.values) }
    throw PolicyError("unknown scheduler '\(choice.name)'")
  }
}
