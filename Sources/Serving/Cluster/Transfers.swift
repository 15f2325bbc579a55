import DequeModule
import EventKernel
import ModelGraph
import Quantities

/// Caches of computed prompts on their way to decode replicas, and those that wait for room there.
struct Transfers {
  /// A cache on its way.
  struct Move {
    /// Tells an event whether it still means this move.
    var number: Int
    var from: Int
    var to: Int
    /// Blocks set aside at the other end.
    var blocks: Int
    var bytes: Int64
    var link: Int
  }

  private(set) var moves: [Int32: Move] = [:]
  /// Rows that wait for room, first come first served; their caches stay where they are.
  private(set) var waiting: Deque<Int32> = []
  var links: [SharedLink]
  private(set) var alarms: Timers
  let latency: Int64
  private let sharing: TransferPlan.Sharing
  private let members: Int
  /// What the caches of each member's model take.
  private let footprints: [Footprint]
  private let pools: [Int]
  private var started = 0

  init(_ plan: ClusterPlan, _ members: [Member]) throws {
    guard let transfers = plan.transfers else { throw ClusterPlanError.noTransfers }
    self.members = members.count
    sharing = transfers.sharing
    latency = Int64((transfers.latency.value * 1e9).rounded(.up))
    let count =
      switch sharing {
      case .pair: members.count * members.count
      case .sender, .receiver: members.count
      case .fabric: 1
      }
    let link = SharedLink(bandwidth: max(1, Int64(min(1e18, transfers.bandwidth.value))))
    links = Array(repeating: link, count: count)
    alarms = Timers(count: count)
    footprints = try plan.pools.map { try $0.replica.cacheFootprint() }
    pools = members.map(\.pool)
  }

  /// Bytes of a cache of so many tokens at a member.
  func bytes(tokens: Int, at member: Int) -> Int64 {
    Int64(min(1e18, footprints[pools[member]].sequence(tokens: tokens).value.rounded(.up)))
  }

  // MARK: Waiting

  func waits(_ row: Int32) -> Bool { waiting.contains(row) }

  mutating func wait(_ row: Int32) { waiting.append(row) }

  /// Puts rows back whose destination is gone, before all others.
  mutating func waitFirst(_ rows: [Int32]) { waiting.prepend(contentsOf: rows) }

  mutating func forget(_ row: Int32) { waiting.removeAll { $0 == row } }

  // MARK: Moving

  /// The row that has waited longest sets off.
  mutating func start(from: Int, to: Int, blocks: Int, bytes: Int64, now: Int64) {
    guard let row = waiting.popFirst() else { return }
    let link = link(from: from, to: to)
    moves[row] = Move(number: started, from: from, to: to, blocks: blocks, bytes: bytes, link: link)
    started += 1
    links[link].start(row, bytes: bytes, now: now)
    alarms.set(link, at: links[link].nextEnd)
  }

  private func link(from: Int, to: Int) -> Int {
    switch sharing {
    case .pair: from * members + to
    case .sender: from
    case .receiver: to
    case .fabric: 0
    }
  }

  /// A row whose last byte has left a link by now.
  mutating func popSent(_ link: Int, now: Int64) -> (row: Int32, move: Move)? {
    guard let row = links[link].popSent(now: now), let move = moves[row] else {
      alarms.set(link, at: links[link].nextEnd)
      return nil
    }
    return (row, move)
  }

  /// A row's cache is there.
  mutating func arrive(_ row: Int32, move: Int) -> Move? {
    guard moves[row]?.number == move else { return nil }
    return moves.removeValue(forKey: row)
  }

  /// Takes the caches off their links that come from, or go to, a replica that has failed.
  /// - Returns: Their rows, in order, with the bytes that were carried for nothing.
  mutating func cancel(now: Int64, where isLost: (Move) -> Bool) -> [(row: Int32, move: Move, carried: Int64)] {
    let lost = moves.filter { isLost($0.value) }.sorted { $0.value.number < $1.value.number }
    return lost.map { row, move in
      moves[row] = nil
      // What has left the link already, and was only not there yet, was carried whole.
      let carried = links[move.link].cancel(row, now: now) ?? move.bytes
      alarms.set(move.link, at: links[move.link].nextEnd)
      return (row, move, carried)
    }
  }
}
