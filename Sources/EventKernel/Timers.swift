/// One alarm for each of a fixed number of owners, and the earliest of all: a tournament tree.
///
/// An owner's alarm can be moved as often as it likes without leaving anything behind. At equal times the owner with the
/// lower number comes first.
public struct Timers {
  /// The time that never comes.
  public static let never = Int64.max

  @usableFromInline let leaves: Int
  /// Winners, root first; leaves hold the owners' own times.
  @usableFromInline let times: FixedArray<Int64>
  @usableFromInline let owners: FixedArray<Int32>

  public init(count: Int) {
    var leaves = 1
    while leaves < count { leaves *= 2 }
    self.leaves = leaves
    times = FixedArray(repeating: Self.never, count: 2 * leaves)
    owners = FixedArray(repeating: 0, count: 2 * leaves)
    for leaf in 0..<leaves { owners[leaves + leaf] = Int32(leaf) }
    for node in (1..<max(2, leaves)).reversed() where leaves > 1 { owners[node] = owners[2 * node] }
  }

  /// When the earliest alarm goes off, and whose it is.
  @inlinable
  public var earliest: (time: Int64, owner: Int) { (times[1], Int(owners[1])) }

  /// Sets an owner's alarm.
  /// - Complexity: O(log count).
  @inlinable
  public func set(_ owner: Int, at time: Int64) {
    precondition(owner >= 0 && owner < leaves, "there is no such owner")
    let times = times.base
    let owners = owners.base
    var node = leaves &+ owner
    guard times[node] != time else { return }
    times[node] = time
    node /= 2
    while node >= 1 {
      let left = 2 &* node
      let winner = times[left] <= times[left &+ 1] ? left : left &+ 1
      // Above a node that stays as it was, nothing changes.
      if times[node] == times[winner], owners[node] == owners[winner] { return }
      times[node] = times[winner]
      owners[node] = owners[winner]
      node /= 2
    }
  }
}
