import Documents
import Quantities

/// What no source states and a scenario had to set.
package struct ClaimAssumption: Sendable {
  /// The conditions that decide a figure: a source that leaves one of them open publishes its conditions in part.
  package enum Condition: String, CaseIterable, Sendable {
    /// The device, or a part of it that decides, such as its memory or a host's processor.
    case device
    /// The model, or layers and shapes that its name does not settle.
    case model
    /// What runs at once: a batch, or a load.
    case batch
    /// How long prompts, answers or contexts are, where more than a tenth of all tokens is left open.
    case lengths
    /// The engine.
    case engine
    /// What a technique is set to: acceptance, shares kept or skipped, how work is split.
    case setting
  }

  /// Nothing for what decides little, and for stand-ins that cost what the published part does.
  package var condition: Condition?
  package var text: String

  /// Reads a sentence, or a condition with its sentence: `lengths: "prompt 256, answer 256"`.
  init(_ node: Node) throws {
    guard case .object(let pairs) = node.value else {
      text = try node.string()
      return
    }
    guard pairs.count == 1, let (key, value) = pairs.first else {
      throw node.error("has \(pairs.count) conditions, expected one with its sentence")
    }
    guard let condition = Condition(rawValue: key) else {
      let names = Condition.allCases.map(\.rawValue)
      throw value.error(
        "found \(shown(key)), expected one of \(names.joined(separator: ", "))",
        nearest: nearestName(to: key, among: names))
    }
    self.condition = condition
    text = try value.string()
  }

  /// The sentence, after the condition it leaves open.
  package var line: String { condition.map { "\($0.rawValue): \(text)" } ?? text }
}
