/// A step is all prompts while any can be admitted; decodes wait meanwhile.
package struct PrefillFirst: Scheduler {
  package static let description = PolicyDescription(
    "prefill-first", "first come, first served; steps of whole prompts go before steps of decodes",
    source: "vLLM's first engine (V0) without chunked prefill; Kwon et al., PagedAttention, SOSP 2023")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var batching: Batching? { Batching(.prefillFirst) }
  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
