/// The request whose class's objective is due first goes first; requests without a deadline come last.
package struct EarliestDeadline: Scheduler {
  package static let description = PolicyDescription(
    "edf", "earliest deadline first, by the objectives of the classes; requests without one last",
    source: "C. Liu and J. Layland, Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment, "
      + "JACM 20(1), 1973",
    [
      .choice(
        "by", "what is due: the first token, or the end of the answer; a class with only one of them goes by that",
        ["first-token", "end"], standard: "first-token"),
      .preempt,
    ])

  private let byEnd: Bool
  package let preempts: Bool

  package init(_ values: PolicyValues) {
    byEnd = values.text("by") == "end"
    preempts = values.text("preempt") == "yes"
  }

  package func key(_ request: RequestView) -> Double {
    let (first, second) =
      byEnd ? (request.deadline, request.firstTokenDeadline) : (request.firstTokenDeadline, request.deadline)
    return (first ?? second).map { Double($0) } ?? .infinity
  }
}

extension PolicyParameter {
  package static let preempt = PolicyParameter.choice(
    "preempt", "whether a waiting request takes the place of a running one that goes after it", ["no", "yes"],
    standard: "no")
}
