import Quantities

extension OperatorGraph {
  /// Grouped-query attention: fused projection, rotary with any query-key norm, the two attention phases, output.
  func addAttention(_ attention: Attention, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let split = AttentionSplit(attention, tensor: parallelism.tensor)
    let gate = attention.outputGate ? 2 : 1
    let queryWidth = split.queryHeads * attention.headWidth
    let keyWidth = attention.sharesEarlierKV ? 0 : split.kvHeads * attention.headWidth
    let valueWidth = attention.sharesEarlierKV ? 0 : split.kvHeads * attention.valueWidth
    addGEMM(
      "qkv_proj", rows: step.tokens, columns: gate * queryWidth + keyWidth + valueWidth, inner: hidden, count: count,
      matrices: attention.sharesEarlierKV ? 1 : 3, to: &list)
    addRotary(attention, rows: step.tokens, queries: queryWidth, keys: keyWidth, count: count, to: &list)
    addAttentionPhases(
      AttentionCost(
        queryHeads: split.queryHeads, kvHeads: split.kvHeads,
        pairFLOPs: 2 * (attention.headWidth + attention.valueWidth),
        keyBytes: formats.storedKV.size(of: Double(keyWidth + valueWidth)),
        cachedElements: Double(split.kvHeads * (attention.headWidth + attention.valueWidth)), stored: formats.storedKV,
        queryElements: queryWidth, outputElements: split.queryHeads * attention.valueWidth,
        headWidth: attention.headWidth, rule: attention.cache, window: attention.window, kernel: plan.kernels.attention),
      step, count: count, to: &list)
    addGEMM(
      "o_proj", rows: step.tokens, columns: hidden, inner: split.queryHeads * attention.valueWidth, count: count,
      to: &list)
  }

  /// Rotation of queries and keys, with any norm on them.
  private func addRotary(
    _ attention: Attention, rows: Int, queries: Int, keys: Int, count: Int, to list: inout [Operator]
  ) {
    guard attention.rotary || attention.queryKeyNorm != .none else { return }
    let kernels = plan.kernels
    var cost = attention.rotary || !kernels.runs(.norm) ? kernels.rotation : PassCost()
    if attention.queryKeyNorm != .none, kernels.runs(.norm) { cost = cost + kernels.norm(.rms) }
    let bytes = cost.bytes(of: Double(rows * (queries + keys)), stream: formats.stream)
    var work = elementwise("rotary", .rotary, count: count, Traffic(activations: bytes))
    // Queries and keys are turned one after the other, unless one kernel does both.
    work.launches = cost.launches * (cost.launches > 1 && keys > 0 ? 2 : 1)
    list.append(work)
  }

  /// Latent attention. Decode runs absorbed, against the latent itself; prefill expands the latent to keys and values.
  func addLatentAttention(_ latent: LatentAttention, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let heads = latent.heads / parallelism.tensor
    let queryWidth = heads * (latent.nopeWidth + latent.ropeWidth)
    let latentWidth = latent.cachedWidth
    let rows = step.tokens
    if let rank = latent.queryRank {
      addGEMM("qkv_a_proj", rows: rows, columns: rank + latentWidth, inner: hidden, count: count, to: &list)
      addGEMM("q_b_proj", rows: rows, columns: queryWidth, inner: rank, count: count, to: &list)
    } else {
      addGEMM("q_proj", rows: rows, columns: queryWidth, inner: hidden, count: count, to: &list)
      addGEMM("kv_a_proj", rows: rows, columns: latentWidth, inner: hidden, count: count, to: &list)
    }
    let rotated = Double(rows * (heads * latent.ropeWidth + latentWidth))
    list.append(
      elementwise("rotary", .rotary, count: count, Traffic(activations: formats.stream.size(of: 2 * rotated))))
    addLatentDecode(latent, heads: heads, step, count: count, to: &list)
    addLatentPrefill(latent, heads: heads, step, count: count, to: &list)
    addGEMM("o_proj", rows: rows, columns: hidden, inner: heads * latent.valueWidth, count: count, to: &list)
  }

  private func addLatentDecode(
    _ latent: LatentAttention, heads: Int, _ step: StepShape, count: Int, to list: inout [Operator]
  ) {
    guard step.decodeSequences > 0 else { return }
    let first = list.count
    defer { rescope(&list, from: first, as: .decode) }
    // Queries move into latent space and results out of it, with the matrix that prefill expands by.
    let rows = step.decodeTokens * heads
    addGEMM("q_absorb", rows: rows, columns: latent.kvRank, inner: latent.nopeWidth, count: count, to: &list)
    addGEMM("v_absorb", rows: rows, columns: latent.valueWidth, inner: latent.kvRank, count: count, to: &list)
    // A head has its own matrix: the weights above are of one head and are read once a head.
    for index in list.indices.suffix(2) { list[index].traffic.weights = list[index].traffic.weights * Double(heads) }
    let latentWidth = latent.kvRank + latent.ropeWidth
    var decodeOnly = step
    decodeOnly.prefillTokens = 0
    addAttentionPhases(
      AttentionCost(
        queryHeads: heads, kvHeads: 1, pairFLOPs: 2 * (latentWidth + latent.kvRank),
        keyBytes: formats.storedKV.size(of: Double(latent.cachedWidth)), cachedElements: Double(latent.cachedWidth),
        stored: formats.storedKV, queryElements: heads * latentWidth, outputElements: heads * latent.kvRank,
        headWidth: latentWidth, rule: latent.cache, window: latent.indexer?.selected),
      decodeOnly, count: count, to: &list)
    addIndexer(
      latent, rows: step.decodeTokens, pairs: step.decodeContext[0] * Double(step.decodeQueries),
      keys: step.decodeContext[0], count, &list)
  }

  private func addLatentPrefill(
    _ latent: LatentAttention, heads: Int, _ step: StepShape, count: Int, to list: inout [Operator]
  ) {
    guard step.prefillTokens > 0 else { return }
    let first = list.count
    defer { rescope(&list, from: first, as: .prefill) }
    let lane = spans.lane(of: latent.indexer?.selected)
    let keyWidth = latent.nopeWidth + latent.ropeWidth
    // Cached tokens are stored as latents too, so a later chunk expands them again.
    addGEMM(
      "kv_b_proj", rows: Int(step.prefillKeys[0]), columns: heads * (latent.nopeWidth + latent.valueWidth),
      inner: latent.kvRank, count: count, to: &list)
    var prefillOnly = step
    prefillOnly.decodeSequences = 0
    // Each query selects tokens of its own, so that together they read all of them.
    prefillOnly.prefillKeys[lane] = step.prefillKeys[0]
    addAttentionPhases(
      AttentionCost(
        queryHeads: heads, kvHeads: heads, pairFLOPs: 2 * (keyWidth + latent.valueWidth),
        keyBytes: formats.storedKV.size(of: Double(latent.cachedWidth)),
        cachedElements: Double(heads * (keyWidth + latent.valueWidth)), stored: StoredFormat(formats.stream),
        queryElements: heads * keyWidth, outputElements: heads * latent.valueWidth, headWidth: keyWidth,
        rule: CacheRule(prompted: latent.cache.prompted), window: latent.indexer?.selected),
      prefillOnly, count: count, to: &list)
    addIndexer(latent, rows: step.prefillTokens, pairs: step.prefillPairs[0], keys: step.prefillKeys[0], count, &list)
  }

  /// Scores every cached token with a few small heads to choose the ones attention reads.
  private func addIndexer(
    _ latent: LatentAttention, rows: Int, pairs: Double, keys: Double, _ count: Int, _ list: inout [Operator]
  ) {
    guard let indexer = latent.indexer else { return }
    let width = indexer.heads * indexer.headWidth
    addGEMM(
      "indexer_q_proj", rows: rows, columns: width, inner: latent.queryRank ?? hidden, count: count, to: &list)
    addGEMM(
      "indexer_k_proj", rows: rows, columns: indexer.headWidth + indexer.heads, inner: hidden, count: count, to: &list)
    let traffic = Traffic(
      activations: formats.stream.size(of: Double(rows * width)),
      kvRead: NumberFormat.fp8.size(of: keys * Double(indexer.headWidth)))
    list.append(
      Operator(
        name: "indexer_scores", kind: .elementwise(.permutation), count: count,
        flops: FLOPs(2 * pairs * Double(width)), traffic: traffic, compute: formats.stream))
  }

  // MARK: Encoder-decoder

  /// Attention of an encoder layer: every token sees every other.
  func addEncoderAttention(_ attention: Attention, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let split = AttentionSplit(attention, tensor: parallelism.tensor)
    let queryWidth = split.queryHeads * attention.headWidth
    let rows = step.encoderTokens
    let keyElements = split.kvHeads * (attention.headWidth + attention.valueWidth)
    addGEMM(
      "encoder_qkv_proj", rows: rows, columns: queryWidth + keyElements, inner: hidden, count: count, to: &list)
    let flops = 2 * step.encoderPairs * Double(split.queryHeads * (attention.headWidth + attention.valueWidth))
    let elements = Double(rows * (queryWidth + keyElements + split.queryHeads * attention.valueWidth))
    list.append(
      Operator(
        name: "encoder_attention",
        kind: .prefillAttention(
          PrefillAttentionShape(
            sequences: step.encoderSequences, tokens: rows, queryHeads: split.queryHeads,
            kvHeads: split.kvHeads, headWidth: attention.headWidth)),
        count: count, flops: FLOPs(flops), traffic: Traffic(activations: formats.stream.size(of: elements)),
        compute: formats.stream))
    addGEMM(
      "encoder_o_proj", rows: rows, columns: hidden, inner: split.queryHeads * attention.valueWidth, count: count,
      to: &list)
  }

  /// Attention from decoder tokens to encoder outputs, whose keys and values are projected when the encoder ran.
  func addCrossAttention(_ attention: Attention, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let split = AttentionSplit(attention, tensor: parallelism.tensor)
    let queryWidth = split.queryHeads * attention.headWidth
    let keyElements = split.kvHeads * (attention.headWidth + attention.valueWidth)
    addGEMM("cross_q_proj", rows: step.tokens, columns: queryWidth, inner: hidden, count: count, to: &list)
    addGEMM("cross_kv_proj", rows: step.encoderTokens, columns: keyElements, inner: hidden, count: count, to: &list)
    let traffic = Traffic(
      activations: formats.stream.size(of: Double(step.tokens * 2 * queryWidth)),
      kvRead: formats.storedKV.size(of: step.crossKeys * Double(keyElements)),
      kvWritten: formats.storedKV.size(of: Double(step.encoderTokens * keyElements)))
    list.append(
      Operator(
        name: "cross_attention",
        kind: .decodeAttention(
          DecodeAttentionShape(
            sequences: step.tokens, queryHeads: split.queryHeads, kvHeads: split.kvHeads,
            pairWidth: attention.headWidth + attention.valueWidth)),
        count: count,
        flops: FLOPs(2 * step.crossKeys * Double(split.queryHeads * (attention.headWidth + attention.valueWidth))),
        traffic: traffic, compute: formats.stream))
    addGEMM(
      "cross_o_proj", rows: step.tokens, columns: hidden, inner: split.queryHeads * attention.valueWidth, count: count,
      to: &list)
    addAllReduce("cross_all_reduce", rows: step.tokens, count: count, to: &list)
  }

  // MARK: Both phases

  /// The decode and prefill attention operators of a layer, from sums over sequences.
  private func addAttentionPhases(_ own: AttentionCost, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let cost = addRepeatedHeads(own, step, count: count, to: &list)
    let activationElements = Double(cost.queryElements + cost.outputElements)
    if step.decodeSequences > 0 {
      let context = (step.decodeContext * spans.weights(cost.rule.attended, within: cost.window)).sum()
      // Verified tokens share what is read of the cache.
      let queries = Double(step.decodeQueries)
      let tokens = Double(step.decodeTokens)
      var work = Operator(
        name: "attention_decode",
        kind: .decodeAttention(
          DecodeAttentionShape(
            sequences: step.decodeSequences, queryHeads: cost.queryHeads, kvHeads: cost.kvHeads,
            pairWidth: cost.pairFLOPs / 2, tiledRows: tiledRows(cost, step))),
        count: count, flops: FLOPs(context * queries * Double(cost.queryHeads * cost.pairFLOPs)),
        traffic: Traffic(
          activations: formats.stream.size(of: tokens * activationElements),
          kvRead: decodeRead(cost, step, attended: context), kvWritten: cost.keyBytes * tokens),
        compute: formats.stream, scope: .decode)
      work.attention = formats.details.attention
      work.vectorWork = FLOPs(context * cost.cachedElements * cost.stored.expansion)
      if cost.kernel == .eager { work.launches = 2 }
      list.append(work)
      if cost.kernel == .eager { addScores(context * queries, cost, .decode, count: count, to: &list) }
      if plan.cacheCopies > 0, cost.keyBytes > .zero { addCacheCopy(own, step, count: count, to: &list) }
    }
    if step.prefillTokens > 0 {
      let tokens = Double(step.prefillTokens)
      let seen = (step.prefillPairs * spans.weights(cost.rule.prompted, within: cost.window)).sum()
      let pairs = cost.kernel == .eager ? max(seen, square(of: step)) : seen
      var work = Operator(
        name: "attention_prefill",
        kind: .prefillAttention(
          PrefillAttentionShape(
            sequences: step.prefillSequences, tokens: step.prefillTokens, queryHeads: cost.queryHeads,
            kvHeads: cost.kvHeads, headWidth: cost.headWidth)),
        count: count, flops: FLOPs(pairs * Double(cost.queryHeads * cost.pairFLOPs)),
        traffic: Traffic(
          activations: formats.stream.size(of: tokens * activationElements),
          kvRead: promptRead(cost, step),
          kvWritten: cost.keyBytes * tokens),
        compute: formats.stream, scope: .prefill)
      work.attention = formats.details.attention
      if cost.kernel == .eager { work.launches = 2 }
      list.append(work)
      if cost.kernel == .eager { addScores(pairs, cost, .prefill, count: count, to: &list) }
    }
  }

  // MARK: Kernels of libraries

  /// Keys and values copied to every query head they serve, where a library's attention knows no groups.
  /// - Returns: The attention over the copies.
  private func addRepeatedHeads(
    _ cost: AttentionCost, _ step: StepShape, count: Int, to list: inout [Operator]
  ) -> AttentionCost {
    guard cost.kernel == .sdpa || cost.kernel == .eager, cost.kvHeads < cost.queryHeads else { return cost }
    let group = Double(cost.queryHeads) / Double(cost.kvHeads)
    func add(_ name: String, tokens: Double, _ scope: Operator.Scope) {
      let bytes = cost.stored.size(of: cost.cachedElements * tokens) * (1 + group)
      var work = elementwise(name, .permutation, count: count, Traffic(kvRead: bytes))
      work.launches = 2
      work.scope = scope
      list.append(work)
    }
    if step.decodeSequences > 0 {
      let attended = (step.decodeContext * spans.weights(cost.rule.attended, within: cost.window)).sum()
      add("repeat_heads", tokens: attended, .decode)
    }
    if step.prefillTokens > 0 {
      add("repeat_prompt_heads", tokens: step.prefillKeys[spans.lane(of: cost.window)], .prefill)
    }
    var repeated = cost
    repeated.kvHeads = cost.queryHeads
    repeated.cachedElements *= group
    return repeated
  }

  /// Query rows of one KV head of a sequence, where a kernel pads them to tiles made for prompts.
  private func tiledRows(_ cost: AttentionCost, _ step: StepShape) -> Int? {
    guard cost.kernel == .flashAttention2 || cost.kernel == .sdpa else { return nil }
    return max(1, cost.queryHeads / max(1, cost.kvHeads)) * step.decodeQueries
  }

  /// Scores in memory between the two products, in the passes that softmax takes.
  private func addScores(
    _ pairs: Double, _ cost: AttentionCost, _ scope: Operator.Scope, count: Int, to list: inout [Operator]
  ) {
    let passes = plan.kernels.scores
    let bytes = passes.bytes(of: pairs * Double(cost.queryHeads), stream: formats.stream)
    var work = elementwise(
      scope == .decode ? "attention_scores" : "attention_prompt_scores", .permutation, count: count,
      Traffic(activations: bytes))
    work.launches = passes.launches
    work.scope = scope
    list.append(work)
  }

  /// Every query with every key of its prompt, the masked ones too: exact for whole prompts.
  private func square(of step: StepShape) -> Double { 2 * step.prefillPairs[0] - Double(step.prefillTokens) }

  /// What a chunk of prompts reads of the cache: all keys, since each query may choose others, and once more what is read
  /// to choose them.
  private func promptRead(_ cost: AttentionCost, _ step: StepShape) -> Bytes {
    var keys = step.prefillKeys[spans.lane(of: cost.window)]
    if cost.rule.prompted != CacheRule.full.prompted {
      keys += (step.prefillKeys * spans.weights(cost.rule.scanned, within: cost.window)).sum()
    }
    return cost.stored.size(of: cost.cachedElements * keys)
  }

  /// The kept cache, read and written into a new place with the latest token.
  private func addCacheCopy(_ cost: AttentionCost, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let kept = (step.decodeContext * spans.weights(cost.rule.kept, within: cost.window)).sum()
    let bytes = cost.stored.size(of: cost.cachedElements * kept) * plan.cacheCopies
    var work = elementwise("cache_copy", .permutation, count: count, Traffic(kvRead: bytes))
    work.launches = 2
    work.scope = .decode
    list.append(work)
  }

  /// What a decode step reads of the cache: attended tokens, those scored to choose them, and the last ones in 16 bits.
  private func decodeRead(_ cost: AttentionCost, _ step: StepShape, attended: Double) -> Bytes {
    let scanned = (step.decodeContext * spans.weights(cost.rule.scanned, within: cost.window)).sum()
    var bytes = cost.stored.size(of: cost.cachedElements * (attended + scanned))
    if let recent = cost.rule.recent {
      let wider = max(0, formats.stream.bits - cost.stored.bits)
      bytes += Bytes(step.decodeContext[spans.lane(of: recent)] * cost.cachedElements * wider / 8)
    }
    return bytes
  }
}

/// Heads of one device; KV heads are copied when there are fewer than devices.
struct AttentionSplit {
  let queryHeads: Int
  let kvHeads: Int

  init(_ attention: Attention, tensor: Int) {
    queryHeads = attention.queryHeads / tensor
    kvHeads = max(1, attention.kvHeads.dividedUp(by: tensor))
  }
}

/// What one layer's attention costs a query-key pair and a cached token, on one device.
private struct AttentionCost {
  var queryHeads: Int
  var kvHeads: Int
  /// FLOPs of one query head with one key and its value.
  var pairFLOPs: Int
  /// Bytes a new token adds to the cache; elements read for each attended token, and how they lie there.
  var keyBytes: Bytes
  var cachedElements: Double
  var stored: StoredFormat
  /// Elements of queries read and of results written for each token.
  var queryElements: Int
  var outputElements: Int
  var headWidth: Int
  var rule: CacheRule
  /// What the layer itself sees; nothing for all.
  var window: Int?
  var kernel = AttentionKernel.paged
}
