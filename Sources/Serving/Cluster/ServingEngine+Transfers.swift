import EventKernel
import Workloads

extension ServingEngine {
  /// Prompts that a prefill replica has computed look for a decode replica; ends on a decode replica make room.
  mutating func moveOn(from index: Int, _ source: inout any RequestSource, _ observer: Observer) throws {
    let rows = replicas[index].handedOver
    replicas[index].handedOver.removeAll(keepingCapacity: true)
    for row in rows {
      if table[row].givenUpAs == nil { transfers?.wait(row) } else { try leave(row, &source, observer) }
    }
    if !rows.isEmpty || !replicas[index].ended.isEmpty { dispatch() }
  }

  /// Sends off those who wait, in order, while there is room.
  mutating func dispatch() {
    while let row = transfers?.waiting.first, let target = decoder(for: row) {
      let from = Int(table[row].replica)
      let tokens = table[row].computed
      let blocks = replicas[target].limits.blocks(for: tokens)
      replicas[target].reserve(blocks, now: now)
      members[target].incoming += 1
      pools[members[target].pool].arrivals += 1
      let bytes = transfers?.bytes(tokens: tokens, at: from) ?? 0
      transfers?.start(from: from, to: target, blocks: blocks, bytes: bytes, now: now)
      cluster.transfers += 1
      proceed(target)
    }
    cluster.peakHandovers = max(cluster.peakHandovers, transfers?.waiting.count ?? 0)
  }

  /// The decode replica that a computed prompt goes to; nothing when none has room.
  private mutating func decoder(for row: Int32) -> Int? {
    let live = table[row]
    routing.clearCandidates()
    for index in routing.decoders where pools[members[index].pool].limits.canServe(live.request) {
      let blocks = replicas[index].limits.blocks(for: live.computed)
      if replicas[index].hasRoom(blocks, now: now) { addCandidate(index, live.request) }
    }
    guard let first = routing.candidates.first else { return nil }
    guard routing.candidates.count > 1 else { return first.replica }
    let predicted = routing.decodeLengths.predict(live.request)
    let position = routing.decodeRouter.choose(
      RoutedRequest(live, predicted: predicted, now: now), among: routing.candidates)
    return routing.candidates[position].replica
  }

  /// The last bytes of caches leave a link; they are there after its latency.
  mutating func endTransfers(on link: Int, _ source: inout any RequestSource, _ observer: Observer) throws {
    let latency = transfers?.latency ?? 0
    while let sent = transfers?.popSent(link, now: now) {
      cluster.bytesSent += sent.move.bytes
      if latency == 0 {
        try deliver(sent.row, sent.move.number, &source, observer)
      } else {
        guard let time = Instant(nanoseconds: now).adding(latency) else { throw ServingError.beyondClock }
        queue.schedule(.delivered(row: sent.row, move: sent.move.number), at: time)
      }
    }
  }

  /// A cache is there: it is the decode replica's now, and free where it came from.
  mutating func deliver(
    _ row: Int32, _ number: Int, _ source: inout any RequestSource, _ observer: Observer
  ) throws {
    guard let move = transfers?.arrive(row, move: number) else { return }
    cluster.bytesReceived += move.bytes
    lastChange = now
    members[move.to].incoming -= 1
    replicas[move.from].departed(row, table)
    if table[row].givenUpAs == nil {
      table[row].blocks = move.blocks
      table[row].replica = Int32(move.to)
      replicas[move.to].receive(row, now: now, table)
    } else {
      replicas[move.to].giveBack(move.blocks)
      try finish(row, &source, observer)
      dispatch()
    }
    proceed(move.from)
    proceed(move.to)
  }

  /// A computed prompt that nobody wants any more frees its cache.
  mutating func leave(_ row: Int32, _ source: inout any RequestSource, _ observer: Observer) throws {
    let index = Int(table[row].replica)
    replicas[index].departed(row, table)
    try finish(row, &source, observer)
    proceed(index)
  }
}
