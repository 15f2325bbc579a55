import Documents
import ModelGraph

/// All tokens are kept and few are read, chosen for each query by scores (T7).
package struct CacheSelection: Technique {
  package static let description = ChoiceDescription(
    "kv-select", "all tokens stay, each step reads the best of them",
    source: "Wu et al., TokenSelect, arXiv:2411.02886; Lee et al., InfiniGen, arXiv:2406.19707",
    [
      .whole(
        "tokens", "tokens a query reads; 0 for none beside the share", 0...100_000_000, standard: 0,
        unit: "tokens"),
      ChoiceParameter("share", "share of the context a query reads; 0 for none beside the tokens", 0...1, standard: 0),
      .whole("window", "last tokens that are always read", 0...100_000_000, standard: 0, unit: "tokens"),
      ChoiceParameter(
        "scoring", "share of all keys' and values' bytes read to choose; 0.5 reads every key", 0...1, standard: 0.5),
      ChoiceParameter("hits", "share of steps that reuse the last choice", 0...1, standard: 0),
      .choice("phases", "who selects: answers only, or prompts too", ["decode", "both"], standard: "decode"),
    ])
  package static let decides = [Aspect.cacheTokens]
  package static let quality = "within 1 point of full attention on InfiniteBench (TokenSelect, arXiv:2411.02886)"
  package static let measureFirst: String? = "how many tokens a query needs, and how often a choice can be reused"

  private let attended: [ContextPart]
  private let scanned: [ContextPart]
  private let includesPrompts: Bool

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    let tokens = values.int("tokens") + values.int("window")
    var parts: [ContextPart] = []
    if tokens > 0 { parts.append(ContextPart(window: tokens)) }
    if values["share"] > 0 { parts.append(ContextPart(share: values["share"])) }
    guard !parts.isEmpty else { throw Self.error("give tokens=... or share=...") }
    attended = parts
    let scoring = values["scoring"] * (1 - values["hits"])
    scanned = scoring > 0 ? [ContextPart(share: scoring)] : []
    includesPrompts = values.text("phases") == "both"
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    let changed = design.model.changeCaches { _, _, rule in
      rule.attended = attended
      rule.scanned = scanned
      if includesPrompts { rule.prompted = attended }
    }
    guard changed > 0 else {
      throw Self.inapplicable(to: design.model, "no layer attends to its whole context")
    }
  }
}
