import Documents
import ModelGraph

/// One product or one attention, as a model of a single layer.
struct KernelShape {
  private enum Kind {
    case product(rows: Int, columns: Int, inner: Int)
    case attention(sequences: Int, heads: Int, kvHeads: Int, width: Int, queries: Int, keys: Int, causal: Bool)
  }

  private let kind: Kind

  init(_ node: Node) throws {
    kind = try node.strictObject { block in
      func number(_ key: String) throws -> Int { try block.int(key, in: 1...1_000_000_000) }
      if block.optional("heads") == nil {
        return .product(rows: try number("rows"), columns: try number("columns"), inner: try number("inner"))
      }
      let heads = try number("heads")
      let keys = try number("keys")
      return .attention(
        sequences: try number("sequences"), heads: heads,
        kvHeads: try block.optionalInt("kv_heads", in: 1...heads) ?? heads, width: try number("width"),
        queries: try block.optionalInt("queries", in: 1...keys) ?? keys, keys: keys,
        causal: try block.optionalBool("causal") ?? false)
    }
  }

  var model: Model {
    switch kind {
    case .product(_, let columns, let inner):
      Model(
        name: "kernel", architecture: "kernel", vocabulary: 1, hidden: inner,
        decoder: Stack(layers: [Layer(mixers: [.linear(outputWidth: columns)], feedForward: nil, norm: .none)]),
        publishedFormat: .fp16)
    case .attention(_, let heads, let kvHeads, let width, _, _, _):
      Model(
        name: "kernel", architecture: "kernel", vocabulary: 1, hidden: heads * width,
        decoder: Stack(layers: [
          Layer(
            mixers: [.attention(Attention(queryHeads: heads, kvHeads: kvHeads, headWidth: width))], feedForward: nil,
            norm: .none)
        ]), publishedFormat: .fp16)
    }
  }

  func step(_ spans: AttentionSpans) -> StepShape {
    switch kind {
    case .product(let rows, _, _): return .prefill(sequences: 1, tokens: rows, spans: spans)
    case .attention(let sequences, _, _, _, let queries, let keys, let causal):
      if queries == 1 { return .decode(sequences: sequences, context: keys, spans: spans) }
      var step = StepShape.prefill(sequences: sequences, tokens: queries, start: keys - queries, spans: spans)
      if !causal { step.prefillPairs = spans.visible(keys) * (Double(sequences) * Double(queries)) }
      return step
    }
  }

  /// Whether an operator of the step is the kernel, or a pass it needs.
  func includes(_ work: Operator) -> Bool {
    switch kind {
    case .product: work.name.hasPrefix("linear_mixer") || work.name == "quantize"
    case .attention: work.name.hasPrefix("attention_")
    }
  }

  /// Arithmetic as publications count it: that of the dense product, of the pairs that count.
  var flops: Double {
    switch kind {
    case .product(let rows, let columns, let inner): 2 * Double(rows) * Double(columns) * Double(inner)
    case .attention(let sequences, let heads, _, let width, let queries, let keys, let causal):
      4 * Double(sequences * heads * width) * Double(queries) * Double(keys) * (causal ? 0.5 : 1)
    }
  }
}
