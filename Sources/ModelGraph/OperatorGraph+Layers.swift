/// A step's operators in the order they run, layer by layer, for whoever schedules them over unlike devices.
package struct LayeredStep: Sendable {
  /// The operators of one layer; each stands once, with the count it has inside the layer.
  package struct Layer: Sendable {
    /// Position in the decoder, or in the encoder.
    package var index: Int
    package var isEncoder: Bool
    /// Layers of one kind have the same operators.
    package var kind: Int
    package var operators: [Operator]
  }

  /// What comes before the first decoder layer: the token table.
  package var front: [Operator] = []
  package var layers: [Layer] = []
  /// The head.
  package var back: [Operator] = []

  /// All operators in order.
  package var all: [Operator] { front + layers.flatMap(\.operators) + back }
}

extension OperatorGraph {
  /// Layers of the decoder if all of them are alike.
  package var equalLayers: Int? {
    model.encoder == nil && model.decoder.runs.count == 1 ? model.decoder.layerCount : nil
  }

  /// The same operators as ``operators(for:)``, not merged over equal layers. Hops between pipeline stages are left to
  /// whoever places the layers.
  /// - Complexity: O(layers).
  package func layered(for step: StepShape) -> LayeredStep {
    var layered = LayeredStep()
    if step.encoderTokens > 0 {
      appendLayers(of: model.encoder?.runs ?? [], isEncoder: true, to: &layered) { run, list in
        addEncoderLayer(run, step, to: &list)
        rescope(&list, from: 0, as: .encoder)
      }
    }
    guard step.tokens > 0 else { return layered }
    addEmbedding(step, to: &layered.front)
    appendLayers(of: model.decoder.runs, isEncoder: false, to: &layered) { run, list in addLayer(run, step, to: &list) }
    addHead(step, to: &layered.back)
    return layered
  }

  private func appendLayers(
    of runs: [LayerRun], isEncoder: Bool, to layered: inout LayeredStep, add: (LayerRun, inout [Operator]) -> Void
  ) {
    var index = 0
    for (kind, run) in runs.enumerated() {
      var operators: [Operator] = []
      add(LayerRun(layer: run.layer, count: 1), &operators)
      for _ in 0..<run.count {
        layered.layers.append(
          LayeredStep.Layer(
            index: index, isEncoder: isEncoder, kind: isEncoder ? -1 - kind : kind, operators: operators))
        index += 1
      }
    }
  }
}
