/// Parameters of the image encoders that multimodal checkpoints load beside the language model.
enum VisionTower {
  /// SigLIP with Gemma 3's projector; none when the file has no `vision_config`.
  static func siglip(_ configuration: Configuration, textHidden: Int) throws -> Int {
    guard let shape = try Shape(configuration) else { return 0 }
    let positions = shape.patches * shape.width
    let patch = 3 * shape.patchArea * shape.width + shape.width
    let projector = shape.width * textHidden + shape.width
    return shape.encoder + positions + patch + 2 * shape.width + projector
  }

  /// Llama 4's encoder with its pixel-shuffle adapter; none when the file has no `vision_config`.
  static func llama4(_ configuration: Configuration, textHidden: Int) throws -> Int {
    guard let shape = try Shape(configuration) else { return 0 }
    let vision = shape.configuration
    let input = try vision.width("projector_input_dim")
    let output = try vision.width("projector_output_dim")
    let classToken = shape.width
    let positions = (shape.patches + 1) * shape.width
    let patch = 3 * shape.patchArea * shape.width
    let adapter = shape.intermediate * input + input * output + output * textHidden
    return shape.encoder + classToken + positions + patch + 4 * shape.width + adapter
  }

  /// A plain transformer encoder over image patches, with biases everywhere.
  private struct Shape {
    let configuration: Configuration
    let width: Int
    let intermediate: Int
    let layers: Int
    let patches: Int
    let patchArea: Int

    init?(_ outer: Configuration) throws {
      guard let node = outer.fields.optional("vision_config") else { return nil }
      configuration = Configuration(fields: try node.object(), architecture: outer.architecture, name: outer.name)
      width = try configuration.width("hidden_size")
      intermediate = try configuration.width("intermediate_size")
      layers = try configuration.layerCount()
      let patch = try configuration.number("patch_size", 1...1_024)
      let side = try configuration.number("image_size", patch...65_536) / patch
      patches = side * side
      patchArea = patch * patch
    }

    /// Four projections, two norms and a two-matrix network a layer.
    var encoder: Int {
      let attention = 4 * (width * width + width)
      let feedForward = 2 * width * intermediate + intermediate + width
      return layers * (attention + feedForward + 4 * width)
    }
  }
}
