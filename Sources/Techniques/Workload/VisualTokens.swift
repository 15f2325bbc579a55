import Documents
import ModelGraph

/// Image tokens in every prompt, some taken out on the way through the layers (T19).
package struct VisualTokens: Technique {
  package static let description = ChoiceDescription(
    "visual-tokens", "image tokens before each prompt, of which later layers see fewer",
    source: "Xing et al., PyramidDrop, arXiv:2410.17247; Chen et al., FastV, arXiv:2403.06764; "
      + "Yang et al., VisionZip, arXiv:2412.04467",
    [
      .requiredWhole("tokens", "image tokens that enter the first layer", 1...10_000_000, unit: "tokens"),
      .text(
        "drop", "where tokens are taken out: layer/share kept of all, separated by spaces, as '8/0.5 16/0.25'; none"),
      .whole(
        "encoder", "parameters of the image encoder, in millions; 0 to leave it out", 0...1_000_000, standard: 0,
        unit: "million"),
      .whole(
        "patches", "tokens the encoder works on; 0 for as many as image tokens", 0...10_000_000, standard: 0,
        unit: "tokens"),
    ])
  package static let decides = [Aspect.imageTokens]
  package static let quality = """
    half of the tokens after layer 2 costs next to nothing (FastV), 160 of 2880 about 5 % (VisionZip, arXiv:2412.04467)
    """
  package static let measureFirst: String? = "how many image tokens answers need"

  private let tokens: Int
  private let drops: [(layer: Int, kept: Double)]
  private let encoder: ImageEncoder?

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    tokens = values.int("tokens")
    var drops: [(layer: Int, kept: Double)] = []
    let text = values.text("drop")
    for item in text == "none" ? [] : text.split(separator: " ") {
      let parts = item.split(separator: "/")
      guard parts.count == 2, let layer = Int(parts[0]), layer >= 0, let kept = Double(parts[1]),
        (0...(drops.last?.kept ?? 1)).contains(kept), layer >= drops.last?.layer ?? 0
      else {
        throw Self.error(
          "found '\(item)', expected layer/share with rising layers and falling shares, as 8/0.5, or none")
      }
      drops.append((layer, kept))
    }
    self.drops = drops
    let patches = values.int("patches") > 0 ? values.int("patches") : tokens
    encoder =
      values.int("encoder") > 0
      ? ImageEncoder(parameters: values.int("encoder") * 1_000_000, tokens: patches) : nil
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard design.model.encoder == nil else {
      throw Self.inapplicable(to: design.model, "image tokens enter decoders only")
    }
    let layers = design.model.decoder.layerCount
    if let beyond = drops.first(where: { $0.layer >= layers }) {
      throw Self.inapplicable(to: design.model, "layer \(beyond.layer) is beyond its \(layers) layers")
    }
    design.workload.imageTokens = tokens
    design.model.imageEncoder = encoder
    design.model.changeLayers { index, layer in
      guard let drop = drops.last(where: { $0.layer <= index }) else { return }
      layer.droppedTokens = Int((Double(tokens) * (1 - drop.kept)).rounded())
    }
  }
}
