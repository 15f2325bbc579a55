import Testing

@testable import ModelGraph

/// Counts and layouts checked by hand or against published totals, one family at a time.
@Suite("Model families")
struct FamilyTests {
  @Test(
    "parameter counts are exact",
    arguments: [
      ("llama-3-8b", 8_030_261_248), ("llama-2-70b", 68_976_648_192), ("mistral-7b", 7_241_732_096),
      ("mixtral-8x7b", 46_702_792_704), ("qwen2.5-7b", 7_615_616_512), ("qwen3-8b", 8_190_735_360),
      ("qwen3-30b-a3b", 30_532_122_624), ("qwen3-next-80b-a3b", 79_674_391_296), ("gemma-2-9b", 9_241_705_984),
      ("gemma-3-27b", 27_432_406_640), ("phi-3-mini", 3_821_079_552), ("gpt2", 124_439_808),
      ("gpt-j-6b", 6_050_882_784), ("gpt-neox-20b", 20_554_567_680), ("opt-350m", 331_196_416),
      ("opt-6.7b", 6_658_473_984), ("bloom-7b1", 7_069_016_064), ("falcon-7b", 6_921_720_704),
      ("falcon-40b", 41_303_293_952), ("decilm-7b", 7_043_551_232), ("nemotron-super-49b", 49_867_145_216),
      ("deepseek-moe-16b", 16_375_728_128), ("deepseek-v2-lite", 15_706_484_224), ("deepseek-v3", 671_026_419_200),
      ("gpt-oss-20b", 20_914_757_184), ("gpt-oss-120b", 116_829_156_672), ("minimax-text-01", 456_089_655_296),
      ("llama-4-scout", 108_641_793_536), ("glm-4-9b", 9_399_951_360), ("t5-large", 737_668_096),
      ("mamba-2.8b", 2_768_345_600), ("mamba2-2.7b", 2_702_599_680), ("jamba-mini", 51_570_323_328),
      ("xlstm-7b", 6_865_424_896), ("starcoder2-15b", 15_957_889_024), ("command-r", 34_980_831_232),
      ("dbrx", 131_596_523_520),
    ])
  func exact(name: String, parameters: Int) throws { #expect(try model(name).parameterCount == parameters) }

  /// Llama 3 8B by hand: two tables, 32 layers of attention, network and two norms, one last norm.
  @Test("Llama 3 8B adds up by hand")
  func byHand() throws {
    let attention = 4096 * (4096 + 2 * 1024) + 4096 * 4096
    let network = 3 * 4096 * 14336
    let tables = 2 * 128_256 * 4096
    let llama = try model("llama-3-8b")
    #expect(llama.parameterCount == tables + 32 * (attention + network + 2 * 4096) + 4096)
    #expect(llama.decoder.runs.count == 1)
    #expect(llama.contextLimit == 8192)
    #expect(llama.publishedFormat == .bf16)
  }

  @Test("Mixtral's active parameters leave out six of eight experts")
  func activeExperts() throws {
    let mixtral = try model("mixtral-8x7b")
    #expect(mixtral.parameterCount - mixtral.activeParameterCount == 32 * 6 * 3 * 4096 * 14336)
  }

  // MARK: Attention

  @Test("Mistral v0.1 slides over 4096 tokens, v0.3 does not")
  func mistralWindow() throws {
    #expect(try attentions("mistral-7b").allSatisfy { $0.window == 4096 })
    #expect(try attentions("mistral-7b-v0.3").allSatisfy { $0.window == nil })
  }

  @Test("Gemma 2 slides every other layer, Gemma 3 five of six")
  func gemmaWindows() throws {
    #expect(try attentions("gemma-2-9b").prefix(4).map(\.window) == [4096, nil, 4096, nil])
    #expect(try attentions("gemma-3-27b").prefix(6).map(\.window) == [1024, 1024, 1024, 1024, 1024, nil])
    #expect(try attentions("gemma-3-27b").count == 62)
  }

  @Test("gpt-oss slides over 128 tokens every other layer and has sinks")
  func gptOss() throws {
    let layers = try attentions("gpt-oss-20b")
    #expect(layers.prefix(2).map(\.window) == [128, nil])
    #expect(layers.allSatisfy { $0.sinks && $0.queryKeyValueBias && $0.outputBias })
  }

  @Test("Llama 4 sees 8192 tokens in three layers of four, and all of them, without rotary, in the fourth")
  func llama4() throws {
    let scout = try attentions("llama-4-scout")
    #expect(scout.prefix(4).map(\.window) == [8192, 8192, 8192, nil])
    #expect(scout.prefix(4).map(\.rotary) == [true, true, true, false])
    #expect(try mixtures("llama-4-scout").count == 48)
    #expect(try mixtures("llama-4-maverick").count == 24)
  }

  @Test("DeciLM's KV heads differ from layer to layer, 67 in all")
  func decilm() throws {
    let heads = try attentions("decilm-7b").map(\.kvHeads)
    #expect(heads.prefix(6) == [4, 4, 4, 4, 4, 2])
    #expect(heads.reduce(0, +) == 67)
  }

  @Test("Nemotron-NAS leaves attention out of 31 of its 80 layers")
  func nemotronNAS() throws {
    let layers = try layers("nemotron-super-49b")
    #expect(layers.filter { $0.mixers.isEmpty }.count == 31)
    #expect(layers.filter { $0.mixers.isEmpty }.allSatisfy { $0.normCount == 1 })
  }

  @Test("Falcon 7B shares one KV head, 40B eight, both in parallel with the network")
  func falcon() throws {
    #expect(try attentions("falcon-7b").first?.kvHeads == 1)
    #expect(try attentions("falcon-40b").first?.kvHeads == 8)
    #expect(try layers("falcon-40b").allSatisfy { $0.parallelResidual && $0.normCount == 2 })
  }

  @Test("DeepSeek V3 caches a latent of 512 with 64 rotary channels")
  func deepseek() throws {
    let first = try #require(try layers("deepseek-v3").first)
    guard case .latentAttention(let latent)? = first.mixers.first else {
      Issue.record("found \(first.mixers), expected latent attention")
      return
    }
    #expect(latent.kvRank == 512 && latent.ropeWidth == 64 && latent.queryRank == 1536)
    let mixture = try #require(try mixtures("deepseek-v3").first)
    #expect(mixture.experts == 256 && mixture.expertsPerToken == 8 && mixture.shared?.width == 2048)
    #expect(try mixtures("deepseek-v3").count == 58)
  }

  @Test("DeepSeek V3.2 selects 2048 tokens with an indexer")
  func indexer() throws {
    let first = try #require(try layers("deepseek-v3.2").first)
    guard case .latentAttention(let latent)? = first.mixers.first else {
      Issue.record("found \(first.mixers), expected latent attention")
      return
    }
    #expect(latent.indexer == LatentAttention.Indexer(heads: 64, headWidth: 128, selected: 2048))
  }

  // MARK: Encoder and decoder, recurrent mixers

  @Test("Switch has experts in every other layer of both stacks")
  func switchTransformer() throws {
    let model = try model("switch-base-8")
    let encoder = try #require(model.encoder)
    #expect(encoder.layerCount == 12 && model.decoder.layerCount == 12)
    let sparse = (encoder.runs + model.decoder.runs).filter {
      if case .mixture? = $0.layer.feedForward { true } else { false }
    }
    #expect(sparse.reduce(0) { $0 + $1.count } == 12)
    #expect(model.decoder.runs.allSatisfy { $0.layer.crossAttention != nil })
  }

  @Test(
    "hybrids mix attention and recurrence as published",
    arguments: [
      ("minimax-text-01", 10, 70), ("jamba-mini", 4, 28), ("bamba-9b", 3, 29), ("nemotron-h-8b", 4, 24),
      ("qwen3-next-80b-a3b", 12, 36), ("falcon-h1-7b", 44, 44), ("mamba2-2.7b", 0, 64), ("xlstm-7b", 0, 32),
      ("granite-4.0-h-small", 4, 36), ("kimi-linear-48b-a3b", 7, 20),
    ])
  func hybrids(name: String, attending: Int, recurrent: Int) throws {
    let mixers = try layers(name).flatMap(\.mixers)
    let scanning = mixers.filter { if case .recurrent = $0 { true } else { false } }
    #expect(scanning.count == recurrent)
    #expect(mixers.count - scanning.count == attending)
  }

  /// 80 heads of 64 channels with 128 state entries, and three past inputs of the convolution.
  @Test("Mamba-2's state has the published size")
  func mambaState() throws {
    let first = try #require(try layers("mamba2-2.7b").first)
    guard case .recurrent(let mixer)? = first.mixers.first else {
      Issue.record("found \(first.mixers), expected a recurrent mixer")
      return
    }
    #expect(mixer.stateElements == 80 * 64 * 128 + (80 * 64 + 2 * 128) * 3)
  }

  // MARK: Helpers

  private func model(_ name: String) throws -> Model { try ShippedModel(name: name).read() }

  private func layers(_ name: String) throws -> [Layer] {
    try model(name).decoder.runs.flatMap { Array(repeating: $0.layer, count: $0.count) }
  }

  private func attentions(_ name: String) throws -> [Attention] {
    try layers(name).flatMap(\.mixers).compactMap { if case .attention(let attention) = $0 { attention } else { nil } }
  }

  private func mixtures(_ name: String) throws -> [MixtureOfExperts] {
    try layers(name).compactMap { if case .mixture(let mixture)? = $0.feedForward { mixture } else { nil } }
  }
}
