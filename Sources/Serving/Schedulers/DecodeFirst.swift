/// Running answers go on undisturbed until enough of them have ended; only then are new prompts taken in.
package struct DecodeFirst: Scheduler {
  package static let description = PolicyDescription(
    "decode-first",
    "first come, first served; new requests are admitted only while less than a share of the slots is taken",
    source: "decode-prioritising schedules as discussed by Agrawal et al., Sarathi-Serve, OSDI 2024",
    [PolicyParameter("refill", "share of the slots below which requests are admitted", 0.01...1, standard: 0.5)])

  private let refill: Double

  package init(_ values: PolicyValues) { refill = values["refill"] }

  package var batching: Batching? { Batching(.chunked, refill: refill) }
  package var line: LineOrder { .arrival }
  package func key(_ request: RequestView) -> Double { Double(request.arrival) }
}
