import Documents

/// Weights in a GGUF file.
///
/// Rows of its queries and keys go in pairs, for a rotation of neighbours; the engine rotates halves of heads.
struct GGUFWeights: WeightSource {
  let file: GGUFFile
  let headWidth: Int

  func publishedFormat(_ role: TensorRole) throws -> WeightFormat {
    try file.tensor(Self.name(role).name).format.kept ?? .f32
  }

  func rows(_ role: TensorRole, count: Int, inner: Int) throws -> WeightRows {
    let (name, part) = Self.name(role)
    let tensor = try file.tensor(name)
    switch role {
    case .query, .key:
      let (width, half) = (headWidth, headWidth / 2)
      return try tensor.rows(count: count, inner: inner) { row in
        let (head, index) = (row / width, row % width)
        return head * width + 2 * (index % half) + index / half
      }
    default: return try tensor.rows(count: count, inner: inner, part: part)
    }
  }

  /// A tensor's name, and the matrix within it where experts are stacked.
  private static func name(_ role: TensorRole) -> (name: String, part: Int?) {
    switch role {
    case .tokens: ("token_embd.weight", nil)
    case .finalNorm: ("output_norm.weight", nil)
    case .head: ("output.weight", nil)
    case .attentionNorm(let layer): ("blk.\(layer).attn_norm.weight", nil)
    case .query(let layer): ("blk.\(layer).attn_q.weight", nil)
    case .key(let layer): ("blk.\(layer).attn_k.weight", nil)
    case .value(let layer): ("blk.\(layer).attn_v.weight", nil)
    case .attentionOutput(let layer): ("blk.\(layer).attn_output.weight", nil)
    case .feedForwardNorm(let layer): ("blk.\(layer).ffn_norm.weight", nil)
    case .gate(let layer): ("blk.\(layer).ffn_gate.weight", nil)
    case .up(let layer): ("blk.\(layer).ffn_up.weight", nil)
    case .down(let layer): ("blk.\(layer).ffn_down.weight", nil)
    case .router(let layer): ("blk.\(layer).ffn_gate_inp.weight", nil)
    case .expertGate(let layer, let expert): ("blk.\(layer).ffn_gate_exps.weight", expert)
    case .expertUp(let layer, let expert): ("blk.\(layer).ffn_up_exps.weight", expert)
    case .expertDown(let layer, let expert): ("blk.\(layer).ffn_down_exps.weight", expert)
    }
  }
}
