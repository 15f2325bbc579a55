import EventKernel
import Techniques
import Workloads

/// Traffic as techniques make of it: images before prompts, answers of other lengths, several answers to a prompt,
/// several questions in one.
///
/// Objectives, deadlines and sessions stay those of the requests; an image's tokens are nobody else's, and stand behind
/// what prompts share.
struct RewrittenSource: RequestSource {
  private var base: any RequestSource
  private let rewrite: WorkloadRewrite

  init(_ base: any RequestSource, _ rewrite: WorkloadRewrite) {
    self.base = base
    self.rewrite = rewrite
  }

  var count: Int? { base.count.map { ($0 + rewrite.questions - 1) / rewrite.questions } }
  var classes: [RequestClass] { base.classes }
  var forest: PrefixForest? { base.forest }

  mutating func next() throws -> Request? {
    guard var request = try base.next() else { return nil }
    for _ in 1..<rewrite.questions {
      guard let other = try base.next() else { break }
      join(other, to: &request)
    }
    return rewritten(request)
  }

  mutating func followUp(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    base.followUp(after: request, endedAt: endedAt, completed: completed).map(rewritten)
  }

  /// Questions wait for the last that goes into their prompt; what they share of it is there once.
  private func join(_ other: Request, to request: inout Request) {
    request.arrival = max(request.arrival, other.arrival)
    let own = max(1, other.inputTokens - rewrite.sharedPrompt)
    request.inputTokens = min(Request.largestTokens, request.inputTokens + own)
    request.outputTokens = min(Request.largestTokens, request.outputTokens + other.outputTokens)
  }

  private func rewritten(_ request: Request) -> Request {
    var request = request
    request.inputTokens = min(Request.largestTokens, request.inputTokens + rewrite.imageTokens)
    let answer = (Double(request.outputTokens) * rewrite.outputFactor).rounded()
    request.outputTokens = max(1, Int(min(answer, Double(Request.largestTokens))))
    request.samples = UInt16(clamping: Int(request.samples) * rewrite.samples)
    if rewrite.imageTokens > 0 { request.prompt.answerContinues = false }
    return request
  }
}
