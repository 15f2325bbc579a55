/// What is shown of a sweep when nothing is asked for.
package enum SweepDefaults {
  /// Money, or energy where money is unknown, against the wait for a token.
  package static func front(_ findings: SweepFindings) -> [SweepGoal] {
    let cost = ["usd_per_million_output_tokens", "energy_per_output_token_j"].first(where: findings.varies)
    let wait = ["tpot_p99_s", "tpot_s", "e2e_s"].first(where: findings.varies)
    return [cost, wait].compactMap { $0.map { SweepGoal($0, lowerIsBetter: true) } }
  }

  /// The outputs whose elasticities are told.
  package static func outputs(_ findings: SweepFindings) -> [String] {
    [
      "ttft_s", "ttft_p99_s", "tpot_s", "tpot_p99_s", "output_tokens_per_s", "energy_per_output_token_j",
      "usd_per_million_output_tokens",
    ].filter(findings.varies)
  }

  /// Columns of a table of points.
  package static func columns(_ findings: SweepFindings, _ goals: [SweepGoal]) -> [String] {
    let usual = ["ttft_s", "ttft_p99_s", "tpot_s", "tpot_p99_s", "good_share", "energy_per_output_token_j"]
    let first = goals.map(\.metric)
    return first + usual.filter { findings.metrics.contains($0) && !first.contains($0) }
  }
}

extension SweepFindings {
  /// Whether all points have the metric and not all the same.
  package func varies(_ metric: String) -> Bool {
    guard metrics.contains(metric), let first = points.first?.metrics[metric] else { return false }
    return points.contains { $0.metrics[metric] != first }
  }
}
