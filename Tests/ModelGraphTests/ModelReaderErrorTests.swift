import Documents
import Testing

@testable import ModelGraph

@Suite("Configurations that are wrong")
struct ModelReaderErrorTests {
  /// A small sound configuration, some of whose fields a test replaces or, with nothing, removes.
  private func llama(_ changes: [String: String?] = [:]) -> String {
    var fields: [String: String?] = [
      "model_type": "\"llama\"", "hidden_size": "64", "intermediate_size": "128", "num_hidden_layers": "2",
      "num_attention_heads": "4", "vocab_size": "100", "hidden_act": "\"silu\"",
    ]
    fields.merge(changes) { _, new in new }
    let pairs = fields.compactMap { key, value in value.map { "\"\(key)\": \($0)" } }
    return "{" + pairs.sorted().joined(separator: ", ") + "}"
  }

  private func read(_ text: String) throws -> Model {
    try ModelReader.model(from: JSONDocument.parse(text, file: "config.json"), name: "test")
  }

  private func message(_ text: String) -> String {
    do {
      return "read \(try read(text).parameterCount) parameters"
    } catch {
      return "\(error)"
    }
  }

  @Test("a sound one is read, with the library's defaults for what is missing")
  func sound() throws {
    let model = try read(llama())
    guard case .attention(let attention)? = model.decoder.runs.first?.layer.mixers.first else {
      Issue.record("expected attention")
      return
    }
    #expect(attention.kvHeads == 4 && attention.headWidth == 16)
    #expect(!model.embedding.tied)
    #expect(model.publishedFormat == .fp32)
  }

  @Test(
    "one message names file, field, what was found and what was expected",
    arguments: [
      (["model_type": "\"llamma\""], "model_type", "'llamma'"),
      (["model_type": "\"resnet\""], "model_type", "'resnet'"),
      (["hidden_size": nil], "'hidden_size'", "missing"),
      (["hidden_size": "-64"], "hidden_size", "-64"),
      (["hidden_size": "1e30"], "hidden_size", "whole number"),
      (["hidden_size": "\"wide\""], "hidden_size", "'wide'"),
      (["hidden_size": "66"], "num_attention_heads", "66"),
      (["num_attention_heads": "0"], "num_attention_heads", "found 0"),
      (["num_key_value_heads": "3"], "num_key_value_heads", "found 3"),
      (["num_key_value_heads": "8"], "num_key_value_heads", "found 8"),
      (["num_hidden_layers": "1000000"], "num_hidden_layers", "1000000"),
      (["num_hidden_layers": "2.5"], "num_hidden_layers", "2.5"),
      (["vocab_size": "0"], "vocab_size", "found 0"),
      (["hidden_act": "\"silo\""], "hidden_act", "'silo'"),
      (["layer_types": "[\"full_attention\"]"], "layer_types", "1 entries"),
      (["layer_types": "[\"full_attention\", \"magic\"]"], "layer_types[1]", "'magic'"),
      (["torch_dtype": "\"int3\""], "torch_dtype", "'int3'"),
      (["mlp_bias": "7"], "mlp_bias", "found 7"),
      (["head_dim": "4000000"], "head_dim", "4000000"),
    ] as [([String: String?], String, String)])
  func named(changes: [String: String?], field: String, found: String) {
    let message = message(llama(changes))
    #expect(message.hasPrefix("config.json"))
    #expect(message.contains(field))
    #expect(message.contains(found))
    #expect(!message.contains("\n"))
  }

  @Test("a misspelt architecture brings the nearest known one")
  func nearest() {
    #expect(message(llama(["model_type": "\"llamma\""])).contains("did you mean 'llama'?"))
    #expect(message(llama(["hidden_act": "\"silo\""])).contains("did you mean 'silu'?"))
  }

  @Test("without model_type the class name decides")
  func architectures() throws {
    let text = llama(["model_type": nil, "architectures": "[\"LlamaForCausalLM\"]"])
    #expect(try read(text).architecture == "llama")
    let unknown = message(llama(["model_type": nil, "architectures": "[\"LamaForCausalLM\"]"]))
    #expect(unknown.contains("architectures") && unknown.contains("did you mean 'LlamaForCausalLM'?"))
    #expect(message(llama(["model_type": nil])).contains("neither 'model_type' nor 'architectures'"))
  }

  @Test("wrong nesting and wrong kinds are named")
  func nesting() {
    #expect(message("[1, 2]").contains("a list of 2"))
    #expect(message("{}").contains("neither"))
    #expect(message(llama(["model_type": "\"gemma3\""])).contains("'text_config' is missing"))
    #expect(message("{\"model_type\": \"llama4\", \"text_config\": 3}").contains("text_config: found 3"))
    #expect(message("{\"model_type\": [\"llama\"]}").contains("model_type"))
    #expect(message("not json").contains("is not JSON"))
  }

  @Test("more experts a token than experts is refused")
  func experts() {
    let changes = [
      "model_type": "\"mixtral\"", "num_key_value_heads": "4", "num_local_experts": "4", "num_experts_per_tok": "5",
    ]
    #expect(message(llama(changes)).contains("num_experts_per_tok: found 5, but there are only 4 experts"))
  }

  @Test("a variant that would change cost is refused, not ignored")
  func variants() {
    let pangu = [
      "model_type": "\"PanguProMoE\"", "num_experts": "4", "num_experts_per_tok": "2", "moe_intermediate_size": "8",
      "shared_expert_intermediate_size": "8", "sandwich_norm": "true",
    ]
    #expect(message(llama(pangu)).contains("sandwich_norm"))
    let blocks = """
      [{"attention": {"no_op": true}, "ffn": {"replace_with_linear": true}},
       {"attention": {"no_op": true}, "ffn": {"no_op": true}}]
      """
    let changes = ["model_type": "\"nemotron-nas\"", "block_configs": blocks]
    #expect(message(llama(changes)).contains("block_configs[0].ffn"))
  }

  @Test("a linear map in place of attention is a square projection without a cache")
  func linearAttention() throws {
    let blocks = """
      [{"attention": {"replace_with_linear": true}, "ffn": {"ffn_mult": 6}},
       {"attention": {"n_heads_in_group": 2}, "ffn": {"no_op": true}}]
      """
    let model = try read(llama(["model_type": "\"nemotron-nas\"", "block_configs": blocks]))
    #expect(model.decoder.runs.map(\.layer.mixers.first).first == .linear(outputWidth: 64))
    let first = 64 * 64 + 3 * 64 * 256 + 2 * 64
    let second = 64 * (64 + 2 * 32) + 64 * 64 + 64
    #expect(model.parameterCount == 2 * 100 * 64 + first + second + 64)
  }

  /// Each field of one configuration of every architecture is replaced by each absurd value.
  @Test("absurd values bring an error of one line or a model, never a crash", arguments: ShippedModel.names)
  func absurd(name: String) throws {
    let shipped = try ShippedModel(name: name)
    let root = try JSONDocument.read(path: shipped.configuration)
    let values: [Node.Value] = [
      .int(0), .int(-1), .int(65_536), .int(262_144), .int(.max), .double(0.5), .bool(true), .string("x"), .null,
      .array([]), .object([]),
    ]
    let uniform = [1, 2, 64, 1_024, 4_096, 65_536, 262_144].map { everyNumber(of: root, $0) }
    for changed in variations(of: root, with: values) + uniform {
      do {
        let model = try ModelReader.model(from: changed, name: name)
        #expect(model.parameterCount > 0 && model.activeParameterCount > 0)
      } catch {
        let text = "\(error)"
        #expect(error is DataError && text.hasPrefix(shipped.configuration) && !text.contains("\n"))
      }
    }
  }

  /// Every document that differs from this one in one field of its first two levels.
  private func variations(of node: Node, with values: [Node.Value], depth: Int = 0) -> [Node] {
    guard case .object(let pairs) = node.value, depth < 2 else { return [] }
    return pairs.indices.flatMap { index in
      let old = pairs[index].value
      let replacements = values.map { Node($0, file: old.file, path: old.path) }
      return (replacements + variations(of: old, with: values, depth: depth + 1)).map { new in
        var copy = pairs
        copy[index].value = new
        return Node(.object(copy), file: node.file, path: node.path)
      }
    }
  }

  /// The document with every whole number replaced, so that products of large fields meet.
  private func everyNumber(of node: Node, _ number: Int) -> Node {
    let value: Node.Value =
      switch node.value {
      case .int: .int(number)
      case .array(let items): .array(items.map { everyNumber(of: $0, number) })
      case .object(let pairs): .object(pairs.map { (key: $0.key, value: everyNumber(of: $0.value, number)) })
      default: node.value
      }
    return Node(value, file: node.file, path: node.path)
  }
}
