/// Every step carries all decodes, and prompts in chunks that fill it up to a token budget, so that no decode waits long.
///
/// Where decodes alone fill the budget, prompts wait for some of them to end.
package struct Sarathi: Scheduler {
  package static let description = PolicyDescription(
    "sarathi", "first come, first served; steps of all decodes, filled up with chunks of prompts to a token budget",
    source: "Agrawal et al., Sarathi-Serve: Taming Throughput-Latency Tradeoff in LLM Inference, OSDI 2024; "
      + "decode-maximal batches: Agrawal et al., SARATHI, arXiv:2308.16369",
    [.whole("chunk", "tokens of a step, decodes included", 1...1_000_000, standard: 512, unit: "tokens")])

  private let chunk: Int

  package init(_ values: PolicyValues) { chunk = values.int("chunk") }

  package var batching: Batching? { Batching(.chunked, tokens: chunk) }
  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
