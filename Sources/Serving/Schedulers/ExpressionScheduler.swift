/// Requests in the order of a formula that the user writes; the lowest value goes first.
///
///     expression:"input_tokens/1000 - 10*priority - waited"
///     expression:"if(waited > 30, 0, predicted_tokens)",lengths=ranked,tau=0.6
///
/// A formula that asks for time or for tenants' service is worked out for every waiting request before each step; others
/// once, when a request begins to wait.
package struct ExpressionScheduler: Scheduler {
  package static let description = PolicyDescription(
    "expression", "lowest value of a formula first, over fields of the request",
    source: "written by the user; see Documentation/policies.md",
    [
      .text(
        "key",
        "a formula over \(RequestField.allCases.map(\.rawValue).joined(separator: ", ")), with + - * /, comparisons, "
          + "\(PriorityExpression.Function.allCases.map(\.rawValue).joined(separator: ", "))"),
      .choice(
        "lengths", "what predicted_tokens says: nothing, the true length, or a prediction of rank accuracy tau",
        ["none", "oracle", "ranked"], standard: "none"), .tau, .preempt,
    ])

  private let expression: PriorityExpression
  package let lengths: LengthKnowledge
  package let preempts: Bool
  package let line: LineOrder
  package let countsService: Bool

  package init(_ values: PolicyValues) throws(PolicyError) {
    expression = try PriorityExpression(values.text("key"))
    let fields = expression.fields
    lengths =
      switch values.text("lengths") {
      case "oracle": .oracle
      case "ranked": .ranked(tau: values["tau"])
      default: .none
      }
    guard lengths != .none || !fields.contains(.predictedTokens) else {
      throw PolicyError("expression asks for predicted_tokens, so it needs lengths=oracle, or lengths=ranked with tau")
    }
    preempts = values.text("preempt") == "yes"
    line = fields.contains { $0.changesWhileWaiting } ? .changingKey : .key
    countsService = fields.contains(.tenantService)
  }

  package func key(_ request: RequestView) -> Double { expression.value(request) }
}
