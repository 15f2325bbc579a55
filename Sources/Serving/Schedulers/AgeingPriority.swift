/// The class with the highest priority goes first, where waiting adds to the priority.
///
/// All waiting requests age alike, so their order never changes while they wait: the key is the arrival, set forward by
/// the priority.
package struct AgeingPriority: Scheduler {
  package static let description = PolicyDescription(
    "priority", "highest priority of the class first, plus what waiting has added to it",
    source: "vLLM's priority policy (github.com/vllm-project/vllm/pull/5958), with the ageing of operating systems",
    [
      PolicyParameter(
        "ageing", "priority that a second of waiting adds; 0 lets low priorities starve", 0...1e6, standard: 0.1,
        unit: "per s"), .preempt,
    ])

  private let ageing: Double
  package let preempts: Bool

  package init(_ values: PolicyValues) {
    ageing = values["ageing"]
    preempts = values.text("preempt") == "yes"
  }

  package func key(_ request: RequestView) -> Double {
    ageing * (Double(request.arrival) / 1e9) - Double(request.priority)
  }
}
