import Documents

/// A small model drafts a chain that the model verifies (T17).
package struct DraftModel: Technique {
  package static let description = ChoiceDescription(
    "draft-model", "a small model drafts a chain of tokens, which the model verifies at once",
    source: "Leviathan et al., Fast Inference from Transformers via Speculative Decoding, arXiv:2211.17192",
    [
      .text("model", "the small model, by name"),
      .requiredWhole("depth", "tokens drafted in a cycle", 1...64, unit: "tokens"),
    ] + DraftAcceptance.parameters)
  package static let decides = [Aspect.drafting]
  package static let quality = "exact: the distribution of answers does not change (arXiv:2211.17192)"
  package static let measureFirst: String? = "acceptance on the traffic to be served"

  private let drafting: Drafting

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    let depth = values.int("depth")
    drafting = Drafting(
      source: .model(values.text("model")), depth: depth, verified: depth,
      tokensPerCycle: try DraftAcceptance.tokens(values, depth: depth, verified: depth, of: Self.name))
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    try DraftAcceptance.check(design, Self.self)
    design.drafting = drafting
  }
}

/// How many tokens a cycle yields: given, or from the acceptance at each depth.
enum DraftAcceptance {
  static let parameters: [ChoiceParameter] = [
    ChoiceParameter(
      "acceptance", "chance that the first drafted token is accepted; or give tokens", 0...1, standard: 0),
    ChoiceParameter("decay", "factor on that chance from one depth to the next", 0...1, standard: 1),
    ChoiceParameter(
      "tokens", "tokens a cycle yields, the model's own included; or give acceptance", 0...64,
      standard: 0, unit: "tokens"),
  ]

  static func tokens(
    _ values: ChoiceValues, depth: Int, verified: Int, of name: String
  ) throws(TechniqueError) -> Double {
    let (acceptance, tokens) = (values["acceptance"], values["tokens"])
    guard (acceptance > 0) != (tokens > 0) else {
      throw TechniqueError("\(name): give either acceptance=... or tokens=..., which only a measurement can tell")
    }
    guard tokens == 0 || (1...Double(depth + 1)).contains(tokens) else {
      throw TechniqueError(
        "\(name): tokens=\(ChoiceValue.number(tokens)) is not from 1 to \(depth + 1), which is all that a draft of depth "
          + "\(depth) can yield")
    }
    return tokens > 0 ? tokens : Drafting.tokens(acceptance: acceptance, decay: values["decay"], depth: depth)
  }

  static func check(_ design: Design, _ type: any Technique.Type) throws(TechniqueError) {
    guard design.model.encoder == nil else {
      throw TechniqueError(
        "\(type.description.name) does not apply to \(design.model.name): drafts for encoder-decoder models are not modelled"
      )
    }
  }
}
