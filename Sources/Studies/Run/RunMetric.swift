import Reporting

/// What runs are compared by.
package enum RunMetric: String, CaseIterable, Sendable {
  case ttftMean = "ttft_mean_s"
  case ttftP50 = "ttft_p50_s"
  case ttftP99 = "ttft_p99_s"
  case tpotMean = "tpot_mean_s"
  case tpotP50 = "tpot_p50_s"
  case tpotP99 = "tpot_p99_s"
  case endToEndMean = "e2e_mean_s"
  case endToEndP99 = "e2e_p99_s"
  case requestRate = "requests_per_s"
  case tokenRate = "output_tokens_per_s"
  case goodShare = "good_share"
  case goodput = "goodput_per_s"
  case energyPerToken = "energy_per_output_token_j"
  case pricePerMillionTokens = "usd_per_million_output_tokens"

  package var heading: String {
    switch self {
    case .ttftMean: "mean TTFT"
    case .ttftP50: "P50 TTFT"
    case .ttftP99: "P99 TTFT"
    case .tpotMean: "mean TPOT"
    case .tpotP50: "P50 TPOT"
    case .tpotP99: "P99 TPOT"
    case .endToEndMean: "mean end to end"
    case .endToEndP99: "P99 end to end"
    case .requestRate: "requests served"
    case .tokenRate: "output tokens"
    case .goodShare: "requests within objectives"
    case .goodput: "goodput"
    case .energyPerToken: "energy per output token"
    case .pricePerMillionTokens: "price per 1M output tokens"
    }
  }

  package var style: ResultTable.Style {
    switch self {
    case .ttftMean, .ttftP50, .ttftP99, .tpotMean, .tpotP50, .tpotP99, .endToEndMean, .endToEndP99: .time
    case .requestRate, .tokenRate, .goodput: .rate
    case .goodShare: .percent
    case .energyPerToken: .energy
    case .pricePerMillionTokens: .money
    }
  }

  package var unit: AxisUnit {
    switch style {
    case .time: .seconds
    case .percent: .percent
    case .energy: .joules
    case .rate: AxisUnit("/s")
    case .money: AxisUnit("USD")
    default: .none
    }
  }

  /// Whether a lower value is the better one.
  package var lowerIsBetter: Bool {
    switch self {
    case .requestRate, .tokenRate, .goodShare, .goodput: false
    default: true
    }
  }

  /// Whether a stretch of a run has a value of its own; energy and price are known of whole runs.
  package var isOfStretches: Bool { self != .energyPerToken && self != .pricePerMillionTokens }

  /// Its name without the unit, for names of files.
  var fileStem: String {
    let unitless = rawValue.replacing("_per_s", with: "").replacing("usd_per", with: "price-per")
    let words = unitless.split(separator: "_")
    return (["s", "j"].contains(words.last) ? words.dropLast() : words[...]).joined(separator: "-")
  }
}
