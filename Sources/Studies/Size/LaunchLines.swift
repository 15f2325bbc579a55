import CostModels
import Execution
import ModelGraph

/// Commands that start one replica of a deployment with the runtimes people use.
///
/// Option names are those of vLLM 0.8, SGLang 0.4, TensorRT-LLM 0.18 (`trtllm-serve`) and llama.cpp since August 2025.
package struct LaunchLines {
  /// One runtime's command.
  package struct Line: Sendable {
    package var runtime: String
    package var command: String
    /// What must be there before it can run, beside the checkpoint as it is published.
    package var needs: String?

    /// For a shell: what is needed stands in a comment.
    package var script: String { "# \(runtime)" + (needs.map { ": needs \($0)" } ?? "") + "\n" + command }
  }

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

  package var all: [Line] {
    [
      Line(runtime: "vLLM", command: vllm, needs: quantised(by: "LLM Compressor", onTheFly: [.eight])),
      Line(runtime: "SGLang", command: sglang, needs: quantised(by: "LLM Compressor", onTheFly: [.eight, .four])),
      Line(runtime: "TensorRT-LLM", command: tensorRT, needs: quantised(by: "TensorRT Model Optimizer", onTheFly: [])),
      Line(runtime: "llama.cpp", command: llamaCpp, needs: nil),
    ]
  }

  private var degrees: Parallelism { deployment.parallelism }
  private var isSpread: Bool { degrees.expert > 1 }
  private var budget: Int { deployment.runtime.maxBatchedTokens }
  private var fraction: Double { deployment.runtime.memoryFraction }
  private var formats: Formats { deployment.plan.formats }

  private var vllm: String {
    join([
      "vllm serve \(checkpoint)", "--tensor-parallel-size \(degrees.tensor)",
      degrees.pipeline > 1 ? "--pipeline-parallel-size \(degrees.pipeline)" : nil,
      isSpread ? "--enable-expert-parallel" : nil, "--max-num-seqs \(sequences)",
      "--max-num-batched-tokens \(budget)", "--max-model-len \(length)", "--gpu-memory-utilization \(fraction)",
      width == .eight ? "--quantization fp8" : nil, formats.kv == .fp8 ? "--kv-cache-dtype fp8" : nil,
    ])
  }

  private var sglang: String {
    join([
      "python -m sglang.launch_server --model-path \(checkpoint)", "--tp \(degrees.tensor)",
      degrees.pipeline > 1 ? "--pp-size \(degrees.pipeline)" : nil, isSpread ? "--ep-size \(degrees.expert)" : nil,
      "--max-running-requests \(sequences)", "--chunked-prefill-size \(budget)", "--context-length \(length)",
      "--mem-fraction-static \(fraction)", width == .eight ? "--quantization fp8" : nil,
      width == .four ? "--torchao-config int4wo-128" : nil,
      formats.kv == .fp8 ? "--kv-cache-dtype fp8_e5m2" : nil,
    ])
  }

  private var tensorRT: String {
    join([
      "trtllm-serve \(checkpoint)", "--tp_size \(degrees.tensor)",
      degrees.pipeline > 1 ? "--pp_size \(degrees.pipeline)" : nil, isSpread ? "--ep_size \(degrees.expert)" : nil,
      "--max_batch_size \(sequences)", "--max_num_tokens \(budget)", "--max_seq_len \(length)",
      "--kv_cache_free_gpu_memory_fraction \(fraction)",
    ])
  }

  /// Converts the checkpoint, then serves it; llama.cpp divides its context between slots.
  private var llamaCpp: String {
    let split = [String](repeating: "1", count: degrees.devices).joined(separator: ",")
    let mode = degrees.pipeline > 1 ? "layer" : "row"
    let convert = "python convert_hf_to_gguf.py --remote \(checkpoint) --outfile model.gguf --outtype "
    let make: String
    switch width {
    case .sixteen: make = convert + "auto"
    case .eight, .other: make = convert + "q8_0"
    case .four: make = convert + "auto && llama-quantize model.gguf model-q4.gguf Q4_0"
    }
    return join([
      make, "&& llama-server --model \(width == .four ? "model-q4" : "model").gguf", "--n-gpu-layers 999",
      "--parallel \(sequences)", "--ctx-size \(sequences * length)", "--flash-attn on",
      degrees.devices > 1 ? "--split-mode \(mode) --tensor-split \(split)" : nil,
      formats.kv.bits == 8 ? "--cache-type-k q8_0 --cache-type-v q8_0" : nil,
    ])
  }

  // MARK: Precision

  private enum Width { case sixteen, eight, four, other }

  /// Of weights that a published checkpoint must be brought to; checkpoints that are quantised already stay as they are.
  private var width: Width {
    guard deployment.model.quantization == nil else { return .sixteen }
    switch formats.weights {
    case .fp8: return .eight
    case _ where formats.weights.bits >= 16: return .sixteen
    // With the scales of groups a little more than four.
    case _ where (4..<5).contains(formats.weights.bits): return .four
    default: return .other
    }
  }

  /// What has to be made of the checkpoint first, where the runtime does not do so as it loads.
  private func quantised(by tool: String, onTheFly known: [Width]) -> String? {
    guard width != .sixteen, !known.contains(width) else { return nil }
    return "\(checkpoint) quantised to \(formats.weights.rawValue) by \(tool) first, and its path in place of the name"
  }

  private func join(_ parts: [String?]) -> String { parts.compactMap { $0 }.joined(separator: " ") }
}
