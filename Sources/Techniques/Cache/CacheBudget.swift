import Documents
import ModelGraph

/// Tokens beyond a budget leave the cache (T6).
package struct CacheBudget: Technique {
  package static let description = ChoiceDescription(
    "kv-budget", "a fixed number, or a share, of a context's tokens stays in the cache",
    source: "Zhang et al., H2O, arXiv:2306.14048; Adnan et al., Keyformer, arXiv:2403.09054; "
      + "Cai et al., R-KV, arXiv:2505.24133",
    [
      .whole("tokens", "tokens kept; 0 for none beside the share", 0...100_000_000, standard: 0, unit: "tokens"),
      ChoiceParameter("share", "share of the context kept; 0 for none beside the tokens", 0...1, standard: 0),
      ChoiceParameter(
        "scan", "share of the kept cache read again for each token to score it", 0...2, standard: 0),
      ChoiceParameter("layers", "share of the layers that have the budget", 0.01...1, standard: 1),
    ])
  package static let decides = [Aspect.cacheTokens]
  package static let quality = """
    half the cache keeps 99 % of the score of summaries (Keyformer, arXiv:2403.09054); reasoning needs 10 to 34 % \
    (R-KV, arXiv:2505.24133)
    """
  package static let measureFirst: String? = "the budget at which answers are still good enough"

  private let rule: CacheRule
  private let layers: Double

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    var kept: [ContextPart] = []
    if values.int("tokens") > 0 { kept.append(ContextPart(window: values.int("tokens"))) }
    if values["share"] > 0 { kept.append(ContextPart(share: values["share"])) }
    guard !kept.isEmpty else { throw Self.error("give tokens=... or share=...") }
    guard kept.count == 1 else { throw Self.error("give tokens or share, not both") }
    let scan = values["scan"]
    rule = CacheRule(
      kept: kept, attended: kept,
      scanned: scan > 0 ? kept.map { ContextPart(window: $0.window, share: $0.share * scan) } : [])
    layers = values["layers"]
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let changed = design.model.changeCaches { place, count, rule in
      guard Double(place) < self.layers * Double(count) else { return }
      rule = self.rule
    }
    guard changed > 0 else {
      throw Self.inapplicable(to: design.model, "no layer attends to its whole context")
    }
  }
}
