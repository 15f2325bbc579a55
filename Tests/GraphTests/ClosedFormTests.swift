import ModelGraph
import Quantities
import TestSupport
import Testing

/// The graph's work against arithmetic from the configurations' numbers.
@Suite struct ClosedFormTests {
  private func decode(_ graph: OperatorGraph, _ sequences: Int, _ context: Int) -> [Operator] {
    graph.operators(for: .decode(sequences: sequences, context: context, spans: graph.spans))
  }

  private func prefill(
    _ graph: OperatorGraph, _ tokens: Int, start: Int = 0, last: Bool = true, sequences: Int = 1
  ) -> [Operator] {
    graph.operators(
      for: .prefill(sequences: sequences, tokens: tokens, start: start, last: last, spans: graph.spans))
  }

  // MARK: Dense

  @Test func `Llama 3 8B decodes a token with two FLOP a multiplied parameter`() throws {
    let graph = try Repository.graph("llama-3-8b")
    let list = decode(graph, 1, 1024)
    // 8,030,261,248 parameters less the token table and 65 norms of 4096.
    let multiplied = 8_030_261_248 - 128_256 * 4096 - 65 * 4096
    #expect(list.products.totalFLOPs == 2 * Double(multiplied))
    #expect(list.products.totalTraffic.weights.value == 2 * Double(multiplied))
    let all = list.filter { $0.name != "embed_tokens" }.totalTraffic
    #expect(all.weights.value == 2 * Double(multiplied + 65 * 4096))
    // 32 layers x 8 KV heads x key and value of 128 x 2 B x 1024 tokens.
    #expect(all.kvRead.value == product(32, 8, 2, 128, 2, 1024))
    #expect(all.kvWritten.value == product(32, 8, 2, 128, 2))
    // Query times key and weights times value: 4 FLOP a channel of 32 heads.
    #expect(list.named("attention_decode").totalFLOPs == product(32, 4, 32, 128, 1024))
  }

  @Test func `a batch multiplies FLOPs and cache reads, and reads the weights once`() throws {
    let graph = try Repository.graph("llama-3-8b")
    let (one, many) = (decode(graph, 1, 700), decode(graph, 64, 700))
    #expect(many.products.totalFLOPs == 64 * one.products.totalFLOPs)
    #expect(many.products.totalTraffic.weights == one.products.totalTraffic.weights)
    #expect(many.totalTraffic.kvRead.value == 64 * one.totalTraffic.kvRead.value)
  }

  @Test func `a prompt of n tokens attends to n (n + 1) / 2 pairs and needs logits once`() throws {
    let list = prefill(try Repository.graph("llama-3-8b"), 1000)
    #expect(list.named("attention_prefill").totalFLOPs == product(32, 4, 32, 128, 1000 * 1001 / 2))
    #expect(list.named("lm_head").totalFLOPs == product(2, 128_256, 4096))
    #expect(list.totalTraffic.kvWritten.value == product(1000, 131_072))
  }

  @Test(arguments: ["llama-3-8b", "mistral-7b", "gemma-2-2b", "gpt-oss-20b", "qwen2.5-0.5b"])
  func `chunks of a prompt add up to the whole`(model: String) throws {
    let graph = try Repository.graph(model)
    let whole = prefill(graph, 5000)
    let cuts = [0, 512, 1024, 4000, 4096, 4999, 5000]
    var products = 0.0
    var attention = 0.0
    var written = Bytes.zero
    for (start, end) in zip(cuts, cuts.dropFirst()) {
      let chunk = prefill(graph, end - start, start: start, last: end == 5000)
      #expect(chunk.named("lm_head").isEmpty == (end < 5000))
      products += chunk.products.totalFLOPs
      attention += chunk.named("attention_prefill").totalFLOPs
      written += chunk.totalTraffic.kvWritten
    }
    if graph.model.expertCount == nil { #expect(near(products, whole.products.totalFLOPs, within: 1e-12)) }
    #expect(near(attention, whole.named("attention_prefill").totalFLOPs, within: 1e-12))
    #expect(written == whole.totalTraffic.kvWritten)
  }

  // MARK: Heads and windows

  @Test(arguments: [("llama-2-7b", 32, 128, 32), ("llama-3-8b", 8, 128, 32), ("falcon-7b", 1, 64, 32)])
  func `the cache holds the KV heads, many, few or one`(
    model: String, kvHeads: Int, width: Int, layers: Int
  ) throws {
    let graph = try Repository.graph(model)
    #expect(graph.footprint.kvPerToken.value == Double(layers * kvHeads * 2 * width * 2))
    #expect(decode(graph, 3, 50).totalTraffic.kvRead.value == Double(3 * 50 * layers * kvHeads * 2 * width * 2))
  }

  @Test(arguments: [
    // Model, windowed layers, full layers, window, bytes of a token in a layer, FLOP of a pair in a layer.
    ("gpt-oss-20b", 12, 12, 128, 8 * 2 * 64 * 2, 4 * 64 * 64),
    ("gemma-2-9b", 21, 21, 4096, 8 * 2 * 256 * 2, 4 * 16 * 256),
    ("mistral-7b", 32, 0, 4096, 8 * 2 * 128 * 2, 4 * 32 * 128),
  ])
  func `windowed layers read at most their window`(
    model: String, windowed: Int, full: Int, window: Int, tokenBytes: Int, pairFLOPs: Int
  ) throws {
    let graph = try Repository.graph(model)
    for context in [1, 100, window - 1, window, window + 1, 3 * window] {
      let visible = full * context + windowed * min(context, window)
      let list = decode(graph, 2, context)
      #expect(list.totalTraffic.kvRead.value == Double(2 * visible * tokenBytes))
      #expect(list.named("attention_decode").totalFLOPs == Double(2 * visible * pairFLOPs))
      #expect(graph.footprint.sequence(tokens: context).value == Double(visible * tokenBytes))
    }
    let tokens = window + 200
    let pairs =
      Double(full) * Double(tokens * (tokens + 1) / 2)
      + Double(windowed) * (1...tokens).reduce(0) { $0 + Double(min($1, window)) }
    #expect(near(prefill(graph, tokens).named("attention_prefill").totalFLOPs, pairs * Double(pairFLOPs)))
  }

  @Test func `pairs and keys of a chunk are those that its queries see one by one`() throws {
    let model = TinyModel.dense(layers: 4, windows: [nil, 3, 16, 100])
    let spans = try AttentionSpans(of: model)
    for start in [0, 1, 2, 3, 15, 16, 17, 99, 100, 101, 300] {
      for tokens in [1, 2, 3, 14, 16, 17, 100, 130] {
        let (pairs, keys) = (spans.pairs(start: start, tokens: tokens), spans.keys(start: start, tokens: tokens))
        for (lane, window) in [Int.max, 3, 16, 100].enumerated() {
          var seen: Set<Int> = []
          var count = 0
          for query in start + 1...start + tokens {
            let first = max(1, window == Int.max ? 1 : query - window + 1)
            seen.formUnion(first...query)
            count += query - first + 1
          }
          #expect(pairs[lane] == Double(count), "\(start) + \(tokens), window \(window)")
          #expect(keys[lane] == Double(seen.count), "\(start) + \(tokens), window \(window)")
        }
      }
    }
  }

  @Test func `a fourth distinct window is refused with the list`() {
    do {
      _ = try AttentionSpans(of: TinyModel.dense(layers: 4, windows: [1, 2, 3, 4]))
      Issue.record("four windows were accepted")
    } catch {
      #expect(error.description.contains("windows of 1, 2, 3, 4 tokens"))
    }
  }

  // MARK: Latent attention

  @Test func `DeepSeek V3 keeps 576 elements a token and decodes against them`() throws {
    let graph = try Repository.graph("deepseek-v3")
    #expect(graph.footprint.kvPerToken.value == product(61, 576, 2))
    let list = decode(graph, 4, 1000)
    #expect(list.named("attention_decode").totalTraffic.kvRead.value == product(61, 4, 1000, 576, 2))
    // Each of 128 heads scores 576 channels and sums 512.
    #expect(list.named("attention_decode").totalFLOPs == product(61, 4, 1000, 128, 2, (576 + 512)))
    #expect(list.named("q_absorb").totalFLOPs == product(61, 4, 128, 2, 128, 512))
    #expect(list.named("v_absorb").totalFLOPs == product(61, 4, 128, 2, 512, 128))
    let absorbed = list.named("q_absorb").totalTraffic.weights + list.named("v_absorb").totalTraffic.weights
    #expect(absorbed.value == product(61, 128, 512, (128 + 128), 2))
    #expect(list.named("kv_b_proj").isEmpty)
  }

  @Test func `DeepSeek V3 expands the latent in prefill, cached tokens too`() throws {
    let graph = try Repository.graph("deepseek-v3")
    let list = prefill(graph, 1000)
    #expect(list.named("kv_b_proj").totalFLOPs == product(61, 1000, 2, 512, 128, (128 + 128)))
    #expect(list.named("attention_prefill").totalFLOPs == product(61, 1000 * 1001 / 2, 128, 2, 192 + 128))
    #expect(list.totalTraffic.kvWritten.value == product(61, 1000, 576, 2))
    #expect(list.named("q_absorb").isEmpty)
    let later = prefill(graph, 1000, start: 500)
    #expect(later.named("kv_b_proj").totalFLOPs == 1.5 * list.named("kv_b_proj").totalFLOPs)
  }

  @Test func `DeepSeek V3.2 attends to at most 2048 tokens but scores them all`() throws {
    let graph = try Repository.graph("deepseek-v3.2")
    let list = decode(graph, 1, 10_000)
    #expect(list.named("attention_decode").totalFLOPs == product(61, 2048, 128, 2, (576 + 512)))
    #expect(list.named("indexer_scores").totalFLOPs == product(61, 10_000, 2, 64, 128))
    #expect(list.named("indexer_scores").totalTraffic.kvRead.value == product(61, 10_000, 128))
  }

  // MARK: Experts

  @Test(arguments: [1, 2, 7, 64, 4096])
  func `a batch visits n (1 - (1 - k/n)^B) experts`(batch: Int) throws {
    let graph = try OperatorGraph(
      model: TinyModel.mixture(experts: 16, chosen: 3), plan: Plan(formats: Formats(all: .bf16)))
    let list = decode(graph, batch, 10)
    var missed = 1.0
    for _ in 0..<batch { missed *= 1 - 3.0 / 16 }
    let distinct = 16 * (1 - missed)
    // Two layers; an expert's gate and up are 64 x 64, its down 32 x 64, of 2 B.
    #expect(near(list.named("expert_gate_up").totalTraffic.weights.value, 2 * distinct * 64 * 64 * 2))
    #expect(near(list.named("expert_down").totalTraffic.weights.value, 2 * distinct * 32 * 64 * 2))
    #expect(near(list.named("expert_gate_up").totalFLOPs, Double(2 * batch * 3 * 2 * 64 * 64)))
    #expect(near(list.named("expert_down").totalFLOPs, Double(2 * batch * 3 * 2 * 32 * 64)))
    #expect(near(list.named("router").totalFLOPs, Double(2 * batch * 2 * 64 * 16)))
    if batch == 1 { #expect(near(distinct, 3)) }
    if batch == 4096 { #expect(near(distinct, 16)) }
  }

  @Test func `DeepSeek V3 sends every token through 8 of 256 experts and the shared one`() throws {
    let list = decode(try Repository.graph("deepseek-v3"), 1, 10)
    #expect(near(list.named("expert_gate_up").totalFLOPs, product(58, 8, 2, 7168, 2, 2048)))
    #expect(near(list.named("expert_gate_up").totalTraffic.weights.value, product(58, 8, 7168, 2, 2048, 2)))
    #expect(list.named("shared_gate_up_proj").totalFLOPs == product(58, 2, 7168, 2, 2048))
    #expect(list.named("shared_down_proj").totalFLOPs == product(58, 2, 2048, 7168))
    #expect(list.named("gate_up_proj").totalFLOPs == product(3, 2, 7168, 2, 18_432))
  }

  // MARK: Recurrent layers

  @Test func `an xLSTM 7B sequence keeps 134.2 MB of matrices, and normalisers`() throws {
    let graph = try Repository.graph("xlstm-7b")
    let matrices = 32.0 * 8 * 256 * 512 * 4
    #expect(near(matrices, 134.2e6, within: 1e-3))
    // Besides, a layer keeps a normaliser of 8 x 256 and a running maximum a head, in fp32: 0.2 %.
    let extras = 32.0 * (8 * 256 + 8) * 4
    #expect(graph.footprint.statePerSequence.value == matrices + extras)
    #expect(graph.footprint.kvPerToken == .zero)
    // A decode step reads and writes it.
    #expect(decode(graph, 3, 1).totalTraffic.state.value == 3 * 2 * (matrices + extras))
  }

  @Test func `a Mamba-2 state does not grow with the context`() throws {
    let graph = try Repository.graph("mamba2-2.7b")
    // 64 layers of 5120 x 128 and a convolution window of 3 over 5120 + 2 x 128 channels.
    #expect(graph.footprint.statePerSequence.value == product(64, (5120 * 128 + 3 * 5376), 2))
    let (short, long) = (decode(graph, 5, 10), decode(graph, 5, 100_000))
    #expect(short.totalTraffic == long.totalTraffic)
    #expect(short.totalFLOPs == long.totalFLOPs)
    #expect(short.totalTraffic.kvRead == .zero)
    // Decay, outer product and read-out are 5 FLOP an element, the convolution 2 for each of 4 taps.
    #expect(near(short.named("mamba2_scan").totalFLOPs, 64 * 5 * Double(5 * 5120 * 128 + 2 * 5376 * 4)))
  }

  @Test func `a prompt's recurrent state moves once a chunk of tokens`() throws {
    let graph = try Repository.graph("mamba2-2.7b")
    let state = graph.footprint.statePerSequence.value
    #expect(near(prefill(graph, 2560).totalTraffic.state.value, 2 * 10 * state))
    #expect(near(prefill(graph, 100).totalTraffic.state.value, 2 * state))
  }

  // MARK: Encoder and decoder

  @Test func `T5's encoder sees all pairs and its decoder reads the encoder's keys`() throws {
    let graph = try Repository.graph("flan-t5-xxl")
    // 24 layers each way; 64 heads of 64; width 4096, gated network of 10,240.
    var step = StepShape.prefill(sequences: 2, tokens: 1, spans: graph.spans)
    step.encoderTokens = 2 * 300
    step.encoderSequences = 2
    step.encoderPairs = 2 * 300 * 300
    step.crossKeys = 2 * 300
    let list = graph.operators(for: step)
    #expect(list.named("encoder_attention").totalFLOPs == product(24, 2, 300, 300, 4, 64, 64))
    #expect(list.named("encoder_qkv_proj").totalFLOPs == product(24, 600, 2, 4096, 3, 4096))
    #expect(list.named("cross_kv_proj").totalFLOPs == product(24, 600, 2, 4096, 2, 4096))
    #expect(list.named("cross_q_proj").totalFLOPs == product(24, 2, 2, 4096, 4096))
    #expect(list.named("cross_attention").totalFLOPs == product(24, 600, 4, 64, 64))
    #expect(list.named("cross_attention").totalTraffic.kvWritten.value == product(24, 600, 2, 4096, 2))
    var later = StepShape.decode(sequences: 2, context: 5, spans: graph.spans)
    later.crossKeys = 600
    let decoded = graph.operators(for: later)
    #expect(decoded.allSatisfy { $0.scope != .encoder && $0.name != "cross_kv_proj" })
    #expect(decoded.named("cross_attention").totalTraffic.kvRead.value == product(24, 600, 2, 4096, 2))
  }

  @Test func `Switch layers visit one expert a token`() throws {
    let graph = try Repository.graph("switch-base-8")
    var step = StepShape()
    step.decodeSequences = 1
    step.decodeContext = SpanSums(repeating: 1)
    let list = graph.operators(for: step)
    // Six of twelve decoder layers have experts of 768 x 3072.
    #expect(near(list.named("expert_up").totalFLOPs, product(6, 2, 768, 3072)))
    #expect(near(list.named("expert_up").totalTraffic.weights.value, product(6, 768, 3072, 2)))
  }

  // MARK: Formats

  @Test func `4-bit weights with a scale for each 128 move 4.125 of 16 bits, but not in the head`() throws {
    let model = try Repository.model("llama-3-8b")
    let wide = try Repository.graph("llama-3-8b")
    let narrow = try OperatorGraph(
      model: model, plan: Plan(formats: Formats(weights: .int4Group128, activations: .bf16, kv: .bf16)))
    let (before, after) = (decode(wide, 8, 100), decode(narrow, 8, 100))
    for name in ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"] {
      let (a, b) = (before.named(name).totalTraffic, after.named(name).totalTraffic)
      #expect(near(b.weights.value, a.weights.value * 4.125 / 16))
      #expect(b.activations == a.activations)
      #expect(after.named(name).allSatisfy { $0.compute == .bf16 })
    }
    #expect(after.named("lm_head").totalTraffic == before.named("lm_head").totalTraffic)
    #expect(after.totalTraffic.kvRead == before.totalTraffic.kvRead)
    #expect(after.totalFLOPs == before.totalFLOPs)
    let layers = 6_979_584_000.0
    let tables = 2.0 * 128_256 * 4096
    #expect(near(narrow.footprint.weights.value, layers * 4.125 / 8 + tables * 2, within: 1e-6))
  }

  @Test func `fp8 projections leave the stream and attention at 16 bits, and an fp8 cache halves its reads`() throws {
    let graph = try OperatorGraph(
      model: Repository.model("llama-3-8b"),
      plan: Plan(formats: Formats(weights: .fp8, activations: .fp8, kv: .fp8)))
    let list = decode(graph, 8, 100)
    #expect(list.named("qkv_proj").allSatisfy { $0.compute == .fp8 })
    #expect(list.named("attention_decode").allSatisfy { $0.compute == .bf16 })
    #expect(list.named("lm_head").allSatisfy { $0.compute == .bf16 })
    #expect(list.totalTraffic.kvRead.value == 8 * 100 * 131_072 / 2)
    // 1 B in, 2 B out.
    #expect(list.named("o_proj").totalTraffic.activations.value == product(32, 8, (4096 + 2 * 4096)))
    #expect(graph.footprint.kvPerToken.value == 131_072 / 2)
  }
}
