import ModelGraph
import Quantities

/// Techniques worth trying unasked, with the inputs that a publication reports for them.
enum AdviceCandidates {
  /// A technique with published inputs, and where they are from.
  struct Candidate: Sendable {
    let text: String
    let inputs: String
  }

  /// Those that may suit a model; what a device cannot compute is found out when it is tried.
  static func all(for model: Model) -> [Candidate] {
    var list = [
      Candidate(text: "w8a8:format=fp8", inputs: "needs no input"),
      Candidate(text: "w8a8:format=int8", inputs: "needs no input"),
      Candidate(text: "w4a16:group=128", inputs: "needs no input"),
      Candidate(
        text: "weight-activation:bits=4,inputs=int8,group=128,expand=4",
        inputs: "assumes QQQ's W4A8 kernel, arXiv:2406.09904"),
      Candidate(text: "kv-quant:bits=8,group=0", inputs: "needs no input"),
      Candidate(text: "kv-quant:bits=4", inputs: "assumes KIVI's groups of 64, arXiv:2402.02750"),
      Candidate(text: "kv-budget:share=0.5", inputs: "assumes half of the cache, as Keyformer keeps, arXiv:2403.09054"),
      Candidate(
        text: "kv-select:tokens=2048,window=512",
        inputs: "assumes 2048 tokens and 512, as TokenSelect, arXiv:2411.02886"),
      Candidate(
        text: "retrieval-heads:share=0.15,window=4000,extra=5",
        inputs: "assumes 15 % of the heads, as RazorAttention, arXiv:2407.15891"),
      Candidate(
        text: "draft-head:depth=3,acceptance=0.75",
        inputs: "assumes acceptance 0.75 at each depth, as EAGLE-3 chains, arXiv:2503.01840"),
      Candidate(text: "ngram:depth=3,acceptance=0.4", inputs: "assumes acceptance 0.4, which repetitive answers reach"),
      Candidate(text: "layer-skip:attention=0.33", inputs: "assumes a third of the attention layers, arXiv:2407.15516"),
      Candidate(text: "sparse-2-4", inputs: "needs no input"),
      Candidate(
        text: "activation-sparsity:active=0.5,scope=all",
        inputs: "assumes half of the channels, as WINA, arXiv:2505.19427"),
      Candidate(
        text: "output-length:factor=0.5", inputs: "assumes half of the tokens, as ShorterBetter, arXiv:2504.21370"),
    ]
    if let active = expertsPerToken(model), active > 2 {
      list.append(
        Candidate(
          text: "expert-skip:active=\(active * 3 / 4)", inputs: "assumes a quarter fewer experts, arXiv:2505.03531"))
    }
    return list
  }

  private static func expertsPerToken(_ model: Model) -> Int? {
    for run in model.decoder.runs {
      if case .mixture(let mixture)? = run.layer.feedForward { return mixture.expertsPerToken }
    }
    return nil
  }
}
