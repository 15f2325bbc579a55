import Documents
import ModelGraph

/// Layers that use another layer's keys and values (T8).
package struct CacheSharing: Technique {
  package static let description = ChoiceDescription(
    "kv-share", "only some layers keep keys and values; the others use theirs",
    source: "Wu and Tu, LCKV, arXiv:2405.10637: (w + 1)/L of the cache; Brandon et al., CLA, arXiv:2405.12981",
    [
      .whole(
        "own", "layers that keep keys and values beside the one that is shared", 0...10_000, standard: 0,
        unit: "layers"),
      .whole(
        "group", "neighbouring layers that share one cache; 0 when one serves all", 0...1000, standard: 0,
        unit: "layers"),
      .whole(
        "passes", "times a prompt passes the layers that use a later layer's keys and values (LCKV: m + b = 9)",
        1...1000,
        standard: 1, unit: "passes"),
    ])
  package static let decides = [Aspect.cacheLayers]
  package static let quality = "needs training; perplexity close to the standard model with two own layers (LCKV)"

  private let own: Int
  private let group: Int
  private let passes: Int

  package init(_ values: ChoiceValues) throws(TechniqueError) {
    own = values.int("own")
    group = values.int("group")
    passes = values.int("passes")
    if own > 0, group > 0 { throw Self.error("give own or group, not both") }
    if group > 0, passes > 1 {
      throw Self.error("passes are of layers that use a later one's keys: give own, not group")
    }
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    var place = 0
    var shared = 0
    design.model.changeLayers { _, layer in
      for index in layer.mixers.indices {
        guard case .attention(var attention) = layer.mixers[index] else { continue }
        defer { place += 1 }
        let keeps = group > 0 ? place % group == 0 : place <= own
        // The layer whose keys are shared is approached with the layers that use them.
        if group == 0, place >= own { layer.promptPasses = passes }
        guard !keeps else { continue }
        attention.sharesEarlierKV = true
        layer.mixers[index] = .attention(attention)
        shared += 1
      }
    }
    guard place > 0 else { throw Self.inapplicable(to: design.model, "it keeps no keys and values by head") }
    guard shared > 0 else {
      throw Self.inapplicable(to: design.model, "its \(place) attention layers would all keep their own cache")
    }
  }
}
