/// Requests begin at the first of several levels and sink as they are served, so that short answers overtake long ones
/// without anybody knowing which are short.
///
/// A request sinks below level k once it has had quantum x factor^k tokens there. With `prompt`, a prompt counts as
/// service beforehand, so that a long one begins further down (skip-join).
package struct MultiLevelFeedback: Scheduler {
  package static let description = PolicyDescription(
    "mlfq", "multi-level feedback: a request sinks a level each time it has used up the level's quantum; preempts",
    source: "Wu et al., Fast Distributed Inference Serving for Large Language Models (FastServe), arXiv:2305.05920, "
      + "without its promotion of requests that starve",
    [
      .whole("quantum", "answer tokens at the first level", 1...1_000_000, standard: 16, unit: "tokens"),
      PolicyParameter("factor", "quantum of a level over that of the one above", 1...64, standard: 2),
      .whole("levels", "levels, the last one without end", 1...32, standard: 6),
      .whole(
        "prompt", "prompt tokens that count as one of the answer; 0 counts none", 0...1_000_000, standard: 0,
        unit: "tokens"),
    ])

  /// Tokens of service after which a request leaves each level but the last.
  private let ends: [Double]
  private let prompt: Int

  package init(_ values: PolicyValues) {
    var quantum = Double(values.int("quantum"))
    var end = 0.0
    var ends: [Double] = []
    for _ in 1..<max(1, values.int("levels")) {
      end += quantum
      ends.append(end)
      quantum *= values["factor"]
    }
    self.ends = ends
    prompt = values.int("prompt")
  }

  package var preempts: Bool { true }

  package func key(_ request: RequestView) -> Double {
    let service = Double(request.generatedTokens + (prompt > 0 ? request.inputTokens / prompt : 0))
    return Double(ends.firstIndex { service < $0 } ?? ends.count)
  }
}
