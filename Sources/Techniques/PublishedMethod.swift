import Documents

/// A method under the name it was published by: a technique with the parameters that its source states, each of which
/// may still be given otherwise.
package struct PublishedMethod: Sendable {
  package let name: String
  package let technique: String
  /// What its source states, as `parameter=value`.
  package let states: [String]
  package let source: String

  private init(_ name: String, _ technique: String, _ states: [String] = [], source: String) {
    self.name = name
    self.technique = technique
    self.states = states
    self.source = source
  }

  /// As it would be written without the name.
  package var text: String { states.isEmpty ? technique : technique + ":" + states.joined(separator: ",") }

  /// The technique's parameters, with what the source states as their standards.
  /// - Returns: Nothing for a technique or a parameter that there is not.
  package var description: ChoiceDescription? {
    guard var description = Techniques.descriptions.first(where: { $0.name == technique }) else { return nil }
    description.name = name
    description.summary = "as \(text)"
    description.source = source
    for state in states {
      let sides = state.split(separator: "=", maxSplits: 1).map(String.init)
      guard sides.count == 2, let index = description.parameters.firstIndex(where: { $0.name == sides[0] }),
        let parameter = description.parameters[index].withStandard(sides[1])
      else { return nil }
      description.parameters[index] = parameter
    }
    return description
  }

  package static let all = [
    PublishedMethod(
      "eagle3", "draft-head", ["depth=5", "width=4", "verified=8", "vocabulary=32000"],
      source: "Li et al., EAGLE-3, arXiv:2503.01840, with its drafts' 32,000 words; tree as SGLang's standard "
        + "(docs.sglang.io, speculative decoding)"),
    PublishedMethod(
      "eagle2", "draft-head", ["depth=5", "width=4", "verified=8"],
      source: "Li et al., EAGLE-2, arXiv:2406.16858; tree as SGLang's standard (docs.sglang.io, speculative decoding)"),
    PublishedMethod(
      "mtp", "draft-head", ["depth=1"], source: "DeepSeek-AI, DeepSeek-V3, arXiv:2412.19437: one further token"),
    PublishedMethod("awq", "w4a16", ["group=128"], source: "Lin et al., AWQ, arXiv:2306.00978"),
    PublishedMethod("gptq", "w4a16", ["group=128"], source: "Frantar et al., GPTQ, arXiv:2210.17323"),
    PublishedMethod("smoothquant", "w8a8", ["format=int8"], source: "Xiao et al., SmoothQuant, arXiv:2211.10438"),
    PublishedMethod(
      "qqq", "weight-activation", ["bits=4", "inputs=int8", "group=128"], source: "Zhang et al., QQQ, arXiv:2406.09904"),
    PublishedMethod(
      "quarot", "weight-activation", ["bits=4", "inputs=int4", "rotation=yes"],
      source: "Ashkboos et al., QuaRot, arXiv:2404.00456"),
    PublishedMethod(
      "kivi", "kv-quant", ["bits=2", "group=32", "window=128"], source: "Liu et al., KIVI, arXiv:2402.02750"),
    PublishedMethod("h2o", "kv-budget", source: "Zhang et al., H2O, arXiv:2306.14048"),
    PublishedMethod("snapkv", "kv-budget", source: "Li et al., SnapKV, arXiv:2404.14469"),
    PublishedMethod("streaming-llm", "kv-budget", source: "Xiao et al., StreamingLLM, arXiv:2309.17453"),
    PublishedMethod(
      "quest", "kv-select", ["scoring=0.0625"],
      source: "Tang et al., Quest, arXiv:2406.10774: least and largest keys of pages of 16 tokens are read to choose"),
    PublishedMethod("sparsegpt", "sparse-2-4", source: "Frantar and Alistarh, SparseGPT, arXiv:2301.00774"),
  ]
}
