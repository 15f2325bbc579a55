import Documents
import Quantities

/// The formats a checkpoint's projections are published in, when they are narrower than its activations.
package struct Quantization: Sendable, Equatable {
  package var weights: NumberFormat
  /// Format the activations are quantised to before a multiplication; nothing when weights are expanded instead.
  package var activations: NumberFormat?
  /// Whether only routed experts are quantised, and everything else stays in the stream's format.
  package var expertsOnly: Bool

  package init(weights: NumberFormat, activations: NumberFormat? = nil, expertsOnly: Bool = false) {
    self.weights = weights
    self.expertsOnly = expertsOnly
    self.activations = activations
  }
}

extension Quantization {
  /// Reads `quantization_config`.
  /// - Throws: `DataError` for a method or width that is not understood: it decides what the model costs.
  static func read(_ node: Node) throws -> Quantization {
    let fields = try node.object()
    let method = try fields.string("quant_method").lowercased()
    switch method {
    case "fp8", "fbgemm_fp8": return Quantization(weights: .fp8, activations: .fp8)
    // gpt-oss leaves attention, router and tables in bf16.
    case "mxfp4": return Quantization(weights: .mxfp4, expertsOnly: true)
    case "gptq", "awq": return Quantization(weights: try grouped(fields, bits: fields.int("bits", in: 1...16)))
    case "modelopt": return try modelOpt(fields)
    case "compressed-tensors": return try compressedTensors(fields)
    default:
      let known = ["fp8", "mxfp4", "gptq", "awq", "modelopt", "compressed-tensors"]
      throw try fields.required("quant_method").error(
        "found \(shown(method)), which is not a quantisation understood here",
        nearest: nearestName(to: method, among: known))
    }
  }

  /// Integer weights of some width: four bits in groups, or eight.
  private static func grouped(_ fields: ObjectReader, bits: Int) throws -> NumberFormat {
    switch bits {
    case 4: return .int4Group128
    case 8: return .int8
    default: throw fields.node.error("quantises to \(bits) bits, expected 4 or 8")
    }
  }

  private static func modelOpt(_ fields: ObjectReader) throws -> Quantization {
    let algorithm = try fields.string("quant_algo").uppercased()
    switch algorithm {
    case "FP8": return Quantization(weights: .fp8, activations: .fp8)
    case "NVFP4": return Quantization(weights: .nvfp4, activations: .fp4)
    default:
      throw try fields.required("quant_algo").error(
        "found \(shown(algorithm)), expected FP8 or NVFP4",
        nearest: nearestName(to: algorithm, among: ["FP8", "NVFP4"]))
    }
  }

  private static func compressedTensors(_ fields: ObjectReader) throws -> Quantization {
    let groups = try fields.required("config_groups").object()
    guard let first = groups.keys.sorted().first else {
      throw try fields.required("config_groups").error("is empty, expected a group of weights")
    }
    let group = try groups.required(first).object()
    let weights = try tensor(group.required("weights"))
    return Quantization(weights: weights, activations: try group.optional("input_activations").map(tensor))
  }

  private static func tensor(_ node: Node) throws -> NumberFormat {
    let fields = try node.object()
    let bits = try fields.int("num_bits", in: 1...16)
    let isFloat = try fields.optionalString("type") == "float"
    switch (bits, isFloat) {
    case (8, true): return .fp8
    case (4, true): return .nvfp4
    default: return try grouped(fields, bits: bits)
    }
  }
}
