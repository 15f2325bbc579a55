/// Requests are served in order of arrival, steps composed as the runtime does.
package struct FirstComeFirstServed: Scheduler {
  package static let description = PolicyDescription(
    "fcfs", "first come, first served; steps as the runtime composes them", source: "the default of every runtime here")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
