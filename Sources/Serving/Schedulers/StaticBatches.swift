/// Requests are batched as a whole: the next batch begins when the longest answer of the last one has ended.
///
/// Sequences that end early keep their place and their cache, computing tokens nobody reads.
package struct StaticBatches: Scheduler {
  package static let description = PolicyDescription(
    "static", "first come, first served in batches that end together; answers that end early are padded",
    source: "NVIDIA FasterTransformer; request-level scheduling in Yu et al., Orca, OSDI 2022, section 2")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var batching: Batching? { Batching(.static) }
  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
