import CostModels
import Execution
import ModelGraph

/// Commands that start one replica of a deployment with the runtimes people use.
///
/// Option names are those of vLLM 0.8, SGLang 0.4, TensorRT-LLM 0.18 (`trtllm-serve`) and llama.cpp of 2025.
package struct LaunchLines {
  private let checkpoint: String
  private let deployment: Deployment
  private let sequences: Int
  private let length: Int

  /// - Parameters:
  ///   - checkpoint: Hugging Face id.
  ///   - length: Longest sequence served.
  package init(checkpoint: String, _ deployment: Deployment, sequences: Int, length: Int) {
    self.checkpoint = checkpoint
    self.deployment = deployment
    self.sequences = sequences
    self.length = length
  }

  package var all: [(runtime: String, line: String)] {
    [("vLLM", vllm), ("SGLang", sglang), ("TensorRT-LLM", tensorRT), ("llama.cpp", llamaCpp)]
  }

  private var tensor: Int { deployment.parallelism.tensor }
  private var budget: Int { deployment.runtime.maxBatchedTokens }
  private var fraction: Double { deployment.runtime.memoryFraction }
  private var formats: Formats { deployment.plan.formats }

  private var vllm: String {
    join([
      "vllm serve \(checkpoint)", "--tensor-parallel-size \(tensor)", "--max-num-seqs \(sequences)",
      "--max-num-batched-tokens \(budget)", "--max-model-len \(length)", "--gpu-memory-utilization \(fraction)",
      quantization.map { "--quantization \($0)" }, formats.kv == .fp8 ? "--kv-cache-dtype fp8" : nil,
    ])
  }

  private var sglang: String {
    join([
      "python -m sglang.launch_server --model-path \(checkpoint)", "--tp \(tensor)",
      "--max-running-requests \(sequences)", "--chunked-prefill-size \(budget)", "--context-length \(length)",
      "--mem-fraction-static \(fraction)", quantization.map { "--quantization \($0)" },
      formats.kv == .fp8 ? "--kv-cache-dtype fp8_e5m2" : nil,
    ])
  }

  private var tensorRT: String {
    join([
      "trtllm-serve \(checkpoint)", "--tp_size \(tensor)", "--max_batch_size \(sequences)",
      "--max_num_tokens \(budget)",
      "--max_seq_len \(length)", "--kv_cache_free_gpu_memory_fraction \(fraction)",
    ])
  }

  /// llama.cpp divides its context between slots.
  private var llamaCpp: String {
    let split = [String](repeating: "1", count: tensor).joined(separator: ",")
    return join([
      "llama-server -hf \(checkpoint)-GGUF", "--n-gpu-layers 999", "--parallel \(sequences)",
      "--ctx-size \(sequences * length)", "--flash-attn",
      tensor > 1 ? "--split-mode row --tensor-split \(split)" : nil,
      formats.kv.bits == 8 ? "--cache-type-k q8_0 --cache-type-v q8_0" : nil,
    ])
  }

  /// What the runtimes call the weight format; checkpoints that are quantised already say it themselves.
  private var quantization: String? {
    guard deployment.model.quantization == nil else { return nil }
    switch formats.weights {
    case .fp8: return "fp8"
    case _ where formats.weights.bits == 4: return "awq"
    case _ where formats.weights.bits == 8: return "w8a8_int8"
    default: return nil
    }
  }

  private func join(_ parts: [String?]) -> String { parts.compactMap { $0 }.joined(separator: " ") }
}
