import Documents
import Foundation

/// Weights in the safetensors files of one folder, named as the transformers library names them.
struct SafetensorsWeights: WeightSource {
  let folder: String
  private let tensors: [String: StoredTensor]

  /// - Throws: `DataError` when the folder has no such file, or one is faulty.
  init(folder: String) throws {
    self.folder = folder
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
      $0.hasSuffix(".safetensors")
    }.sorted()
    guard !names.isEmpty else { throw DataError(file: folder, problem: "has no file that ends in .safetensors") }
    var all: [String: StoredTensor] = [:]
    for name in names {
      let file = try SafetensorsFile(path: folder + "/" + name)
      for (key, tensor) in file.tensors where all.updateValue(tensor, forKey: key) != nil {
        throw file.file.error("is in another file of the folder too", field: key)
      }
    }
    tensors = all
  }

  func publishedFormat(_ role: TensorRole) throws -> WeightFormat { try tensor(role).format.kept ?? .f32 }

  func rows(_ role: TensorRole, count: Int, inner: Int) throws -> WeightRows {
    try tensor(role).rows(count: count, inner: inner)
  }

  private func tensor(_ role: TensorRole) throws -> StoredTensor {
    let names = Self.names(role)
    guard let tensor = names.lazy.compactMap({ tensors[$0] }).first else {
      throw DataError(file: folder, field: names[0], problem: "is missing from the tensors")
    }
    return tensor
  }

  /// Names in use, the commonest first.
  private static func names(_ role: TensorRole) -> [String] {
    func layer(_ index: Int, _ names: String...) -> [String] { names.map { "model.layers.\(index).\($0).weight" } }
    switch role {
    case .tokens: return ["model.embed_tokens.weight"]
    case .finalNorm: return ["model.norm.weight"]
    case .head: return ["lm_head.weight"]
    case .attentionNorm(let index): return layer(index, "input_layernorm")
    case .query(let index): return layer(index, "self_attn.q_proj")
    case .key(let index): return layer(index, "self_attn.k_proj")
    case .value(let index): return layer(index, "self_attn.v_proj")
    case .attentionOutput(let index): return layer(index, "self_attn.o_proj")
    case .feedForwardNorm(let index): return layer(index, "post_attention_layernorm")
    case .gate(let index): return layer(index, "mlp.gate_proj")
    case .up(let index): return layer(index, "mlp.up_proj")
    case .down(let index): return layer(index, "mlp.down_proj")
    case .router(let index): return layer(index, "block_sparse_moe.gate", "mlp.gate")
    case .expertGate(let index, let expert):
      return layer(index, "block_sparse_moe.experts.\(expert).w1", "mlp.experts.\(expert).gate_proj")
    case .expertUp(let index, let expert):
      return layer(index, "block_sparse_moe.experts.\(expert).w3", "mlp.experts.\(expert).up_proj")
    case .expertDown(let index, let expert):
      return layer(index, "block_sparse_moe.experts.\(expert).w2", "mlp.experts.\(expert).down_proj")
    }
  }
}
