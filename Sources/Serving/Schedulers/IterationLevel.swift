/// Requests join and leave the batch at every step; a prompt is computed whole, in one step with the others' decodes.
package struct IterationLevel: Scheduler {
  package static let description = PolicyDescription(
    "orca", "first come, first served at every step; whole prompts share steps with decodes",
    source: "Yu et al., Orca: A Distributed Serving System for Transformer-Based Generative Models, OSDI 2022")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var batching: Batching? { Batching(.mixed) }
  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
