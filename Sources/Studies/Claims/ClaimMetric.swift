import CostModels
import Quantities
import Reporting

/// What claims are about.
package enum ClaimMetric: String, CaseIterable, Sendable {
  // Of a static batch.
  case ttft, tpot, e2e
  case outputRate = "output_rate"
  case totalRate = "total_rate"
  case inputRate = "input_rate"
  case requestRate = "request_rate"
  case outputRatePerDevice = "output_rate_per_device"
  /// Tokens a second while all sequences decode, prompts left out.
  case decodeRate = "decode_rate"
  case powerPerDevice = "power_per_device"
  case energyPerToken = "energy_per_token"
  case pricePerMillion = "price_per_million"
  // Of its memory, on one device.
  case largestBatch = "largest_batch"
  case longestContext = "longest_context"
  case weights, cache, activations, memory
  /// All that a device's own meter shows: memory, and what the runtime holds besides.
  case deviceMemory = "device_memory"
  case wideActivations = "wide_activations"
  case cachePerToken = "cache_per_token"
  case state
  // Of a step.
  case stepTime = "step_time"
  case attentionShare = "attention_share"
  case hostShare = "host_share"
  case bandwidthShare = "bandwidth_share"
  case launchTime = "launch_time"
  /// Shares of a planned step in which nothing but copies, or nothing but drives, goes on.
  case transferShare = "transfer_share"
  case storageShare = "storage_share"
  case distinctExperts = "distinct_experts"
  // Of one operator.
  case kernelTime = "kernel_time"
  case kernelRate = "kernel_rate"
  // Of the model alone.
  case layerMACs = "layer_macs"
  case activeParameters = "active_parameters"
  case promptTokens = "prompt_tokens"
  // Of a replay.
  case ttftMean = "ttft_mean"
  case tpotMean = "tpot_mean"
  case e2eMean = "e2e_mean"
  case ttftP99 = "ttft_p99"
  case servedTokens = "served_tokens"
  case servedRequests = "served_requests"

  /// The replay's metric; nothing for those of plans.
  var replayed: RunMetric? {
    switch self {
    case .ttftMean: .ttftMean
    case .tpotMean: .tpotMean
    case .e2eMean: .endToEndMean
    case .ttftP99: .ttftP99
    case .servedTokens: .tokenRate
    case .servedRequests: .requestRate
    default: nil
    }
  }

  package var style: ResultTable.Style {
    switch self {
    case .ttft, .tpot, .e2e, .stepTime, .kernelTime, .launchTime, .ttftMean, .tpotMean, .e2eMean, .ttftP99: .time
    case .weights, .cache, .activations, .wideActivations, .memory, .deviceMemory, .cachePerToken, .state: .size
    case .decodeRate, .outputRate, .totalRate, .inputRate, .requestRate, .outputRatePerDevice, .servedTokens,
      .servedRequests:
      .rate
    case .powerPerDevice: .power
    case .energyPerToken: .energy
    case .pricePerMillion: .money
    case .attentionShare, .hostShare, .bandwidthShare, .transferShare, .storageShare: .percent
    case .kernelRate: .computeRate
    case .layerMACs, .activeParameters: .count
    case .largestBatch, .longestContext, .distinctExperts, .promptTokens: .plain
    }
  }
}
