import Documents
import ModelGraph

/// Keys and values kept as latents (T9).
package struct LatentCache: Technique {
  package static let description = ChoiceDescription(
    "latent-kv", "keys and values kept as a latent and a rotary part for each KV head",
    source: "Ji et al., MHA2MLA, arXiv:2502.14837: (d_kv + d_rope)/(2 d_h) of the cache",
    [
      .requiredWhole("latent", "width of the latent for each KV head", 1...65_536, unit: "elements"),
      .requiredWhole("rope", "rotary elements kept for each KV head", 0...65_536, unit: "elements"),
    ])
  package static let decides = [Aspect.cacheElements]
  package static let quality = "0.5 % less on LongBench with 92 % less cache after fine-tuning (arXiv:2502.14837)"

  private let latent: Int
  private let rope: Int

  package init(_ values: ChoiceValues) {
    latent = values.int("latent")
    rope = values.int("rope")
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let kinds = design.model.decoder.runs.flatMap(\.layer.mixers)
    let attentions = kinds.compactMap { if case .attention(let attention) = $0 { attention } else { nil } }
    guard let first = attentions.first else {
      throw Self.inapplicable(
        to: design.model,
        kinds.contains { if case .latentAttention = $0 { true } else { false } }
          ? "its keys and values are latents already" : "it is recurrent and keeps no keys and values")
    }
    guard rope < first.headWidth else {
      throw Self.error("rope=\(rope) leaves nothing of heads of \(first.headWidth); it must be less")
    }
    design.model.changeLayers { _, layer in
      for index in layer.mixers.indices {
        guard case .attention(let attention) = layer.mixers[index] else { continue }
        layer.mixers[index] = .latentAttention(converted(attention))
      }
    }
  }

  private func converted(_ attention: Attention) -> LatentAttention {
    var converted = LatentAttention(
      heads: attention.queryHeads, queryRank: nil, kvRank: latent * attention.kvHeads,
      nopeWidth: attention.headWidth - rope, ropeWidth: rope, valueWidth: attention.valueWidth)
    converted.ropeHeads = attention.kvHeads
    converted.cache = attention.cache
    return converted
  }
}
