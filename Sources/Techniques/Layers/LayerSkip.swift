import Documents
import ModelGraph

/// Layers, or parts of layers, that do not run (T10). Their weights stay loaded.
package struct LayerSkip: Technique {
  package static let description = ChoiceDescription(
    "layer-skip", "some attention or feed-forward sublayers do not run, phase by phase",
    source: "Liu et al., Unified Layer Skipping, arXiv:2404.06954; He et al., AdaSkip, arXiv:2501.02336; "
      + "Tyukin, arXiv:2407.15516",
    [
      ChoiceParameter("attention", "share of attention sublayers that are skipped", 0...1, standard: 0),
      ChoiceParameter("ffn", "share of feed-forward sublayers that are skipped", 0...1, standard: 0),
      .choice("phases", "who skips", ["both", "prefill", "decode"], standard: "both"),
      .choice("weights", "whether skipped weights stay in memory", ["kept", "removed"], standard: "kept"),
    ])
  package static let decides = [Aspect.layersRun]
  package static let quality = """
    a third of the attention layers of Llama-2-13B costs 1.8 % of the score (arXiv:2407.15516); half of all layers \
    needs fine-tuning
    """
  package static let measureFirst: String? = "how many sublayers answers can spare"

  private let attention: Double
  private let network: Double
  private let skipped: Phases
  private let removes: Bool

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    attention = values["attention"]
    network = values["ffn"]
    guard attention + network > 0 else { throw Self.error("give attention=... or ffn=..., the share that is skipped") }
    let phases = values.text("phases")
    skipped = Phases(prefill: phases != "decode", decode: phases != "prefill")
    removes = values.text("weights") == "removed"
    if removes, skipped != .both { throw Self.error("weights that one phase needs cannot be removed") }
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    if design.model.encoder != nil {
      throw Self.inapplicable(to: design.model, "decoders that attend to an encoder are not skipped here")
    }
    let left = Phases(prefill: !skipped.prefill, decode: !skipped.decode)
    design.model.changeLayers { index, layer in
      if Self.isChosen(index, share: attention) {
        layer.mixerPhases = left
        if removes { layer.mixers = [] }
      }
      if Self.isChosen(index, share: network) {
        layer.feedForwardPhases = left
        if removes { layer.feedForward = nil }
      }
    }
  }

  /// Chosen ones lie evenly over the depth.
  private static func isChosen(_ index: Int, share: Double) -> Bool {
    Int(share * Double(index + 1) + 1e-9) > Int(share * Double(index) + 1e-9)
  }
}
