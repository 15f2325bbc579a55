/// The operators of a step, named as ``OperatorGraph`` names them.
package enum EngineOperator: String, CaseIterable, Sendable {
  case embedTokens = "embed_tokens"
  case norm
  case queryKeyValue = "qkv_proj"
  case rotary
  case attentionDecode = "attention_decode"
  case attentionPrefill = "attention_prefill"
  case attentionOutput = "o_proj"
  case gateUp = "gate_up_proj"
  case activation
  case down = "down_proj"
  case router
  case permute
  case expertGateUp = "expert_gate_up"
  case expertActivation = "expert_activation"
  case expertDown = "expert_down"
  case unpermute
  case finalNorm = "final_norm"
  case head = "lm_head"

  var index: Int {
    switch self {
    case .embedTokens: 0
    case .norm: 1
    case .queryKeyValue: 2
    case .rotary: 3
    case .attentionDecode: 4
    case .attentionPrefill: 5
    case .attentionOutput: 6
    case .gateUp: 7
    case .activation: 8
    case .down: 9
    case .router: 10
    case .permute: 11
    case .expertGateUp: 12
    case .expertActivation: 13
    case .expertDown: 14
    case .unpermute: 15
    case .finalNorm: 16
    case .head: 17
    }
  }
}
