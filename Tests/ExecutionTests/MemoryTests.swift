import ModelGraph
import Quantities
import TestSupport
import Testing

@testable import Execution

@Suite struct MemoryTests {
  @Test func `Llama 3 8B on an H100 leaves the room that hand arithmetic says`() throws {
    let ledger = try Repository.deployment("llama-3-8b", on: "h100-sxm").memoryLedger()
    // 80 GiB, of which vLLM fills nine tenths.
    #expect(ledger.capacity.value == 85_899_345_920)
    #expect(near(ledger.usable.value, 77_309_411_328))
    // 8,030,261,248 parameters of 2 B; the final norm's 4096 are not counted.
    #expect(near(ledger.weights.value, 2 * 8_030_261_248, within: 1e-6))
    // 8192 tokens of twice the stream and gate, up and their product, and fp32 logits of 256 sequences.
    let perToken = 2 * (2 * 4096 + 3 * 14_336)
    let logits = 256 * 128_256 * 4
    #expect(ledger.activations == Bytes(8192 * perToken + logits))
    #expect(ledger.reserved.value == 1_073_741_824)
    let room = 77_309_411_328 - ledger.weights.value - 970_194_944 - 1_073_741_824
    #expect(near(ledger.cacheRoom.value, room))
    // 32 layers x 8 heads x (128 + 128) x 2 B.
    #expect(ledger.footprint.kvPerToken.value == 131_072)
    #expect(ledger.blocks() == 28_231)
    #expect(ledger.cache(tokens: 17).value == 32 * 131_072)
    #expect(ledger.weightsFit && ledger.missing == .zero)
  }

  @Test func `TensorRT-LLM keeps a tenth of what is free, not of the whole device`() throws {
    let ledger = try Repository.deployment("llama-3-8b", on: "h100-sxm", runtime: "tensorrt-llm").memoryLedger()
    let taken = ledger.weights.value + ledger.activations.value + ledger.reserved.value
    #expect(near(ledger.cacheRoom.value, 0.9 * (85_899_345_920 - taken)))
    #expect(near(ledger.usable.value, taken + ledger.cacheRoom.value))
    // 70B in 16 bits leave nothing free, and what is missing is what they exceed the device by.
    let large = try Repository.deployment("llama-3-70b", on: "h100-sxm", runtime: "tensorrt-llm").memoryLedger()
    let needed = large.weights.value + large.activations.value + large.reserved.value
    #expect(!large.weightsFit)
    #expect(near(large.missing.value, needed - 85_899_345_920))
  }

  static let cases = [
    ("llama-3-8b", "vllm-v1", 1000), ("gemma-2-9b", "vllm-v1", 5000), ("gpt-oss-20b", "vllm-v1", 3000),
    ("deepseek-v2-lite", "vllm-v1", 777), ("jamba-mini", "vllm-v1", 100), ("llama-3-8b", "hugging-face", 123),
  ]

  @Test(arguments: cases)
  func `the largest batch fits and one sequence more does not`(model: String, runtime: String, tokens: Int) throws {
    let ledger = try Repository.deployment(model, on: "h200-sxm", runtime: runtime).memoryLedger()
    let batch = ledger.largestBatch(tokens: tokens)
    #expect(batch > 0)
    #expect(ledger.cache(tokens: tokens) * Double(batch) <= ledger.cacheRoom)
    #expect(ledger.cache(tokens: tokens) * Double(batch + 1) > ledger.cacheRoom)
    // And the other way round: so many sequences can all reach at least that context.
    #expect(try #require(ledger.longestContext(sequences: batch)) >= tokens)
    #expect(try #require(ledger.longestContext(sequences: batch + 1)) < tokens)
  }

  @Test(arguments: cases)
  func `the longest context fits and one block more does not`(model: String, runtime: String, tokens: Int) throws {
    let ledger = try Repository.deployment(model, on: "h200-sxm", runtime: runtime).memoryLedger()
    for sequences in [1, 7, 64] {
      let context = try #require(ledger.longestContext(sequences: sequences))
      #expect(ledger.cache(tokens: context) * Double(sequences) <= ledger.cacheRoom)
      #expect(ledger.cache(tokens: context + ledger.blockSize) * Double(sequences) > ledger.cacheRoom)
      #expect(ledger.largestBatch(tokens: context) >= sequences)
    }
  }

  @Test func `a model without KV cache has no longest context`() throws {
    let ledger = try Repository.deployment("mamba2-2.7b", on: "h100-sxm").memoryLedger()
    #expect(ledger.longestContext(sequences: 10) == nil)
    #expect(ledger.cache(tokens: 1) == ledger.cache(tokens: 1_000_000))
  }

  @Test func `what is missing before weights fit is what they exceed memory by`() throws {
    let deployment = try Repository.deployment("llama-3-70b", on: "h100-sxm")
    let ledger = deployment.memoryLedger()
    let needed = ledger.weights.value + ledger.activations.value + ledger.reserved.value
    #expect(!ledger.weightsFit)
    #expect(near(ledger.missing.value, needed - 0.9 * 85_899_345_920))
    #expect(near(ledger.weights.value, 2 * 70.554e9, within: 1e-3))
    #expect(ledger.largestBatch(tokens: 1) == 0)
    #expect(ledger.longestContext(sequences: 1) == 0)
    #expect(ledger.blocks() == 0)
    let refusal = refusal(deployment, BatchCase(sequences: 1, inputTokens: 1, outputTokens: 1))
    guard case .weightsDoNotFit(_, _, let missing, _) = refusal else {
      Issue.record("a model larger than memory: \(String(describing: refusal))")
      return
    }
    #expect(missing == ledger.missing)
  }

  @Test(arguments: [("tensor", 2), ("tensor", 4), ("tensor", 8), ("pipeline", 2), ("pipeline", 4)])
  func `sharing a model halves, quarters ... what each device holds`(kind: String, degree: Int) throws {
    let parallelism = kind == "tensor" ? Parallelism(tensor: degree) : Parallelism(pipeline: degree)
    let one = try Repository.deployment("llama-3-8b", on: "hgx-h100").memoryLedger()
    let shared = try Repository.deployment("llama-3-8b", on: "hgx-h100", parallelism).memoryLedger()
    // With a pipeline the token table and the head lie on unlike devices, so neither is halved.
    let tables = 2.0 * 128_256 * 4096
    let expected =
      kind == "tensor"
      ? one.weights.value / Double(degree) : (one.weights.value - 2 * tables) / Double(degree) + tables
    #expect(near(shared.weights.value, expected, within: 1e-6))
    #expect(near(shared.footprint.kvPerToken.value, one.footprint.kvPerToken.value / Double(degree)))
  }

  // MARK: Deployments

  @Test func `plans beyond a platform's devices or links are refused`() throws {
    func refusal(_ hardware: String, _ parallelism: Parallelism) -> String {
      do {
        _ = try Repository.deployment("llama-3-8b", on: hardware, parallelism)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      refusal("hgx-h100", Parallelism(tensor: 8, data: 2)) == "the plan needs 16 devices and hgx-h100 has 8")
    #expect(refusal("hgx-h100", Parallelism(tensor: 8)) == "accepted")
  }
}

/// Why a case is refused; nothing when it is predicted.
func refusal(_ deployment: Deployment, _ batch: BatchCase) -> PredictionError? {
  let outcome = Result { () throws(PredictionError) in try Predictor(deployment).predict(batch) }
  if case .failure(let error) = outcome { return error }
  return nil
}
