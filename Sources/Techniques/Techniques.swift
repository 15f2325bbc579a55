import Documents
import ModelGraph

/// The techniques there are.
package enum Techniques {
  /// In the order help lists them.
  package static let all: [any Technique.Type] = [
    WeightOnly.self, FourBitWeights.self, EntropyCodedWeights.self, WeightsAndActivations.self, EightBit.self,
    MixedPrecision.self, BitPlaneProducts.self, AttentionFormat.self, CacheFormat.self, CacheBudget.self,
    CacheSelection.self, RecycledAttention.self, RetrievalHeads.self, SlidingWindow.self, CacheSharing.self,
    LatentCache.self, LayerSkip.self, LayerTable.self, RecurrentLayers.self, ExpertSkip.self, ExpertPruning.self,
    ExpertSkew.self, ExpertConversion.self, NeuronSparsity.self, StructuredSparsity.self, BlockSparsity.self,
    LowRank.self, SlicedActivations.self, DraftModel.self, DraftHead.self, FreeDrafts.self, CascadeDrafts.self,
    StepDrafts.self, VisualTokens.self, AnswerLength.self, RepeatedSamples.self, TreeSearch.self, BatchedPrompts.self,
  ]

  package static var descriptions: [ChoiceDescription] { all.map { $0.description } }

  /// Techniques, then published methods: all names that may be written.
  package static var names: [ChoiceDescription] { descriptions + PublishedMethod.all.compactMap(\.description) }

  /// - Parameter text: A name with parameters, for example `w4a16:group=128`; of a published method, its technique with
  ///   what its source states.
  package static func parse(_ text: String) throws(ChoiceError) -> NamedChoice {
    var choice = try NamedChoice.parse(text, kind: "technique", among: names)
    if let method = PublishedMethod.all.first(where: { $0.name == choice.name }) { choice.name = method.technique }
    return choice
  }

  /// - Throws: ``ChoiceError`` for an unknown name.
  package static func type(of choice: NamedChoice) throws(ChoiceError) -> any Technique.Type {
    for type in all where type.description.name == choice.name { return type }
    throw ChoiceError("unknown technique '\(choice.name)'")
  }

  /// A choice as it would be written, with the parameters that are not their standards.
  package static func text(_ choice: NamedChoice) -> String {
    let parameters = descriptions.first { $0.name == choice.name }?.parameters ?? []
    let given = parameters.compactMap { parameter -> String? in
      guard let value = choice.values.value(parameter.name), value != parameter.standard else { return nil }
      return "\(parameter.name)=\(value)"
    }
    return given.isEmpty ? choice.name : choice.name + ":" + given.joined(separator: ",")
  }

  /// Applies techniques in the order of what they decide, whatever order they come in.
  /// - Throws: ``TechniqueError`` when two decide the same, or one does not suit the model.
  package static func apply(_ choices: [NamedChoice], to design: inout Design) throws {
    let types = try choices.map(type(of:))
    try refuseConflicts(types)
    let order = types.indices.sorted { (place(types[$0]), $0) < (place(types[$1]), $1) }
    for index in order { try types[index].init(choices[index].values).apply(to: &design) }
  }

  private static func place(_ type: any Technique.Type) -> Int { type.decides.map(\.rawValue).min() ?? 0 }

  /// Refuses techniques that decide a format which is also asked for by itself: one of the two would be passed over.
  package static func refuseFormats(weights: Bool, cache: Bool, beside choices: [NamedChoice]) throws {
    for choice in choices {
      let type = try type(of: choice)
      for (isGiven, aspect, option) in [(weights, Aspect.weightFormat, "weights"), (cache, .cacheFormat, "kv-format")] {
        guard isGiven, type.decides.contains(aspect) else { continue }
        throw TechniqueError(
          "\(choice.name) and --\(option) both decide \(aspect.title); leave out one")
      }
    }
  }

  /// Refuses pairs that decide the same: the saving would be counted twice.
  package static func refuseConflicts(_ types: [any Technique.Type]) throws(TechniqueError) {
    for (index, type) in types.enumerated() {
      for other in types[..<index] {
        guard let both = type.decides.first(where: other.decides.contains) else { continue }
        let names = [other, type].map { $0.description.name }
        throw TechniqueError(
          names[0] == names[1]
            ? "\(names[0]) is given twice"
            : "\(names[0]) and \(names[1]) both decide \(both.title), and what that saves "
              + "would be counted twice; choose one")
      }
    }
  }
}
