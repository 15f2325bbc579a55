import Documents
import ModelGraph

/// A pure rewrite of model, plan or workload: it changes bytes, arithmetic, placement or requests, and never holds a
/// speed-up. What a model's behaviour decides (acceptance, hit rate, share kept) is a parameter without a standard.
package protocol Technique: Sendable, SendableMetatype {
  static var description: ChoiceDescription { get }
  /// What it decides; two techniques that decide the same would count a saving twice and are refused.
  static var decides: [Aspect] { get }
  /// What the literature reports of its effect on answers, with the source.
  static var quality: String { get }
  /// What has to be measured before its prediction can be trusted; nothing where no input is a model's behaviour.
  static var measureFirst: String? { get }

  /// - Throws: ``TechniqueError`` for parameters that do not go together.
  init(_ values: ChoiceValues) throws(TechniqueError)

  /// - Throws: ``TechniqueError`` when the model has nothing that it could change.
  func apply(to design: inout Design) throws(TechniqueError)
}

extension Technique {
  package static var name: String { description.name }
  package static var measureFirst: String? { nil }

  /// The error of a technique that does not suit a model.
  static func inapplicable(to model: Model, _ reason: String) -> TechniqueError {
    TechniqueError("\(name) does not apply to \(model.name): \(reason)")
  }

  static func error(_ problem: String) -> TechniqueError { TechniqueError("\(name): \(problem)") }
}

/// A part of a deployment that a technique decides. Techniques are applied in the order of these cases, so that those
/// that reshape layers come before those that say how tensors lie in memory, and the order on a command does not matter.
package enum Aspect: Int, Sendable, CaseIterable {
  case layerShapes, cacheElements, experts, layersRun, cacheLayers
  case cacheTokens, cacheFormat, weightFormat, inputFormat, attentionFormat
  case weightsKept, activationMemory
  case drafting, reasoningSteps
  case imageTokens, outputLength, samples, prompts

  /// What is said twice, for messages.
  package var title: String {
    switch self {
    case .layerShapes: "what the layers are made of"
    case .cacheElements: "what a token adds to the cache"
    case .experts: "which experts there are and run"
    case .layersRun: "which layers run"
    case .cacheLayers: "which layers have a cache of their own"
    case .cacheTokens: "which tokens attention keeps and reads"
    case .cacheFormat: "how the cache lies in memory"
    case .weightFormat: "how weights lie in memory"
    case .inputFormat: "in which format projections multiply"
    case .attentionFormat: "in which format attention multiplies"
    case .weightsKept: "which weights a step reads"
    case .activationMemory: "how many activations are alive at once"
    case .drafting: "how tokens are drafted"
    case .reasoningSteps: "who writes the steps of a thought"
    case .imageTokens: "how many image tokens there are"
    case .outputLength: "how long answers are"
    case .samples: "how many answers a prompt gets"
    case .prompts: "how questions are put into prompts"
    }
  }
}

/// A technique that cannot be: unsuited to the model, out of range, or in conflict with another.
package struct TechniqueError: Error, CustomStringConvertible, Sendable {
  package let description: String

  package init(_ description: String) { self.description = description }
}
