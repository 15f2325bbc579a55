import CKernels
import ModelGraph
import Quantities

extension Engine {
  /// Attention of one layer: from `normed` to `delta`.
  func attend(_ index: Int, _ layer: LayerWeights, _ layout: StepLayout) {
    multiply(.queryKeyValue, layer.queryKeyValue, room.normed.start, rows: layout.rows, into: room.wide.start)
    rotate(layout)
    let cache = cache.layer(index)
    attend(.attentionDecode, cache, layout.spans(layout.decodes))
    attend(.attentionPrefill, cache, layout.spans(layout.prefills))
    multiply(.attentionOutput, layer.attentionOutput, room.attended.start, rows: layout.rows, into: room.delta.start)
  }

  /// Queries and keys lie beside one another, so that they are turned as heads of one kind.
  private func rotate(_ layout: StepLayout) {
    let attention = model.shape.attention
    let heads = attention.queryHeads + attention.kvHeads
    let elements = Double(layout.rows * heads * attention.headWidth)
    measure(.rotary, WorkMeter.Entry(flops: 3 * elements, activationBytes: 8 * elements)) {
      rk_rotary(
        pool.pool, room.wide.start, Int64(model.shape.queryWidth + 2 * model.shape.keyWidth), Int64(layout.rows),
        Int32(heads), Int32(attention.headWidth), layout.positions, rotary.cosines.start, rotary.sines.start)
    }
  }

  private func attend(_ kind: EngineOperator, _ cache: rk_cache, _ spans: [rk_span]) {
    guard !spans.isEmpty else { return }
    var cache = cache
    let shape = model.shape
    let scratch = room.scratch(bytes: rk_attention_scratch(pool.pool, &cache, spans, Int64(spans.count)))
    measure(kind, attentionWork(spans)) {
      rk_attention(
        pool.pool, &cache, spans, Int64(spans.count), room.wide.start, Int64(shape.queryWidth + 2 * shape.keyWidth),
        room.attended.start, Int64(shape.queryWidth), scratch)
    }
  }

  /// Two products with each visible key and value; a chunk's keys and values count as read once.
  private func attentionWork(_ spans: [rk_span]) -> WorkMeter.Entry {
    let shape = model.shape
    var work = WorkMeter.Entry()
    for span in spans {
      let (start, tokens) = (Double(span.start), Double(span.tokens))
      work.flops += 4 * Double(shape.queryWidth) * (tokens * start + tokens * (tokens + 1) / 2)
      work.cacheBytes += 8 * Double(shape.keyWidth) * (start + 2 * tokens)
      work.activationBytes += 8 * Double(shape.queryWidth) * tokens
    }
    return work
  }

  // MARK: Feed-forward

  /// The feed-forward network of one layer: from `normed` to `delta`.
  func feedForward(_ layer: LayerWeights, _ layout: StepLayout) {
    switch layer.network {
    case .dense(let network):
      multiply(.gateUp, network.gateUp, room.normed.start, rows: layout.rows, into: room.wide.start)
      activate(.activation, rows: layout.rows, width: network.down.inner)
      multiply(.down, network.down, room.narrow.start, rows: layout.rows, into: room.delta.start)
    case .mixture(let router, let experts, let chosen):
      mix(router, experts, chosen: chosen, layout)
    }
  }

  private func activate(_ kind: EngineOperator, rows: Int, width: Int) {
    let elements = Double(rows * width)
    measure(kind, WorkMeter.Entry(flops: 5 * elements, activationBytes: 12 * elements)) {
      rk_swiglu(pool.pool, room.wide.start, Int64(rows), Int64(width), room.narrow.start)
    }
  }

  /// Every token visits its experts: rows are brought together by expert, and their results weighted and added up.
  private func mix(_ router: PackedMatrix, _ experts: [GatedNetwork], chosen: Int, _ layout: StepLayout) {
    let (rows, hidden) = (layout.rows, model.shape.hidden)
    multiply(.router, router, room.normed.start, rows: rows, into: room.wide.start)
    let visits = rows * chosen
    var choice = [Int32](repeating: 0, count: visits)
    var weights = [Float](repeating: 0, count: visits)
    let moved = 8 * Double(visits * hidden)
    var plan = ExpertVisits(choice: [], experts: 0, chosen: 1)
    measure(.permute, WorkMeter.Entry(activationBytes: moved)) {
      rk_route(room.wide.start, Int64(rows), Int32(experts.count), Int32(chosen), &choice, &weights)
      plan = ExpertVisits(choice: choice, experts: experts.count, chosen: chosen)
      rk_gather(pool.pool, room.normed.start, plan.token, Int64(visits), Int64(hidden), room.visiting.start)
    }
    multiplyExperts(.expertGateUp, experts.map(\.gateUp), plan, room.visiting, into: room.wide)
    activate(.expertActivation, rows: visits, width: experts[0].down.inner)
    multiplyExperts(.expertDown, experts.map(\.down), plan, room.narrow, into: room.visiting)
    measure(.unpermute, WorkMeter.Entry(flops: 2 * Double(visits * hidden), activationBytes: moved)) {
      rk_combine(
        pool.pool, room.visiting.start, plan.place, weights, Int64(rows), Int32(chosen), Int64(hidden),
        room.delta.start)
    }
  }

  private func multiplyExperts(
    _ kind: EngineOperator, _ matrices: [PackedMatrix], _ plan: ExpertVisits, _ x: FloatBuffer, into y: FloatBuffer
  ) {
    var work = WorkMeter.Entry()
    for (expert, matrix) in matrices.enumerated() where plan.count(expert) > 0 {
      let part = WorkMeter.Entry(product: matrix, rows: plan.count(expert))
      work.flops += part.flops
      work.weightBytes += part.weightBytes
      work.activationBytes += part.activationBytes
    }
    measure(kind, work) {
      for (expert, matrix) in matrices.enumerated() where plan.count(expert) > 0 {
        let first = plan.first[expert]
        product(
          matrix, x.start + first * matrix.inner, rows: plan.count(expert), into: y.start + first * matrix.columns)
      }
    }
  }
}

/// Which tokens visit which experts, expert by expert.
struct ExpertVisits {
  /// The first visit of each expert, and the end of the last.
  let first: [Int]
  /// The token of each visit, in order of experts.
  let token: [Int32]
  /// Where each token's visits are in that order.
  let place: [Int32]

  init(choice: [Int32], experts: Int, chosen: Int) {
    var first = [Int](repeating: 0, count: experts + 1)
    for expert in choice { first[Int(expert) + 1] += 1 }
    for index in 0..<experts { first[index + 1] += first[index] }
    var next = first
    var token = [Int32](repeating: 0, count: choice.count)
    var place = token
    for (visit, expert) in choice.enumerated() {
      let at = next[Int(expert)]
      next[Int(expert)] += 1
      token[at] = Int32(visit / chosen)
      place[visit] = Int32(at)
    }
    (self.first, self.token, self.place) = (first, token, place)
  }

  func count(_ expert: Int) -> Int { first[expert + 1] - first[expert] }
}
