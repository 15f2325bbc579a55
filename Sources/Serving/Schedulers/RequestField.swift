/// What formulas may ask of a request, by the names they use.
enum RequestField: String, CaseIterable, Sendable {
  case now
  case arrival
  case waited
  case inputTokens = "input_tokens"
  case computedTokens = "computed_tokens"
  case generatedTokens = "generated_tokens"
  case predictedTokens = "predicted_tokens"
  case priority
  case tenantWeight = "tenant_weight"
  case tenantService = "tenant_service"
  case firstTokenDeadline = "first_token_deadline"
  case deadline
  case preemptions

  /// Whether it may change while a request waits.
  var changesWhileWaiting: Bool {
    switch self {
    case .now, .waited, .tenantService: true
    default: false
    }
  }

  /// Times are in seconds since the start of the run; a deadline that a class has not is infinitely far.
  func value(_ request: RequestView) -> Double {
    switch self {
    case .now: Double(request.now) / 1e9
    case .arrival: Double(request.arrival) / 1e9
    case .waited: request.waited
    case .inputTokens: Double(request.inputTokens)
    case .computedTokens: Double(request.computedTokens)
    case .generatedTokens: Double(request.generatedTokens)
    case .predictedTokens: Double(request.predictedTokens)
    case .priority: Double(request.priority)
    case .tenantWeight: request.tenantWeight
    case .tenantService: request.tenantService
    case .firstTokenDeadline: request.firstTokenDeadline.map { Double($0) / 1e9 } ?? .infinity
    case .deadline: request.deadline.map { Double($0) / 1e9 } ?? .infinity
    case .preemptions: Double(request.preemptions)
    }
  }
}
