/// The LoRA adapters on a device: a few at once, the one unused for longest making room.
struct AdapterSlots {
  private struct Entry {
    var adapter: UInt16
    var users: Int
    var lastUse: Int
  }

  private let capacity: Int
  private var entries: [Entry] = []
  private var clock = 0

  init(capacity: Int) { self.capacity = capacity }

  /// Takes a slot for a request's adapter.
  /// - Returns: Whether the adapter had to be loaded; nothing when every slot is in use by others.
  mutating func take(_ adapter: UInt16?) -> Bool? {
    guard let adapter else { return false }
    clock += 1
    if let index = entries.firstIndex(where: { $0.adapter == adapter }) {
      entries[index].users += 1
      entries[index].lastUse = clock
      return false
    }
    if entries.count < capacity {
      entries.append(Entry(adapter: adapter, users: 1, lastUse: clock))
      return true
    }
    let unused = entries.indices.filter { entries[$0].users == 0 }
    guard let oldest = unused.min(by: { entries[$0].lastUse < entries[$1].lastUse }) else { return nil }
    entries[oldest] = Entry(adapter: adapter, users: 1, lastUse: clock)
    return true
  }

  mutating func release(_ adapter: UInt16?) {
    guard let adapter, let index = entries.firstIndex(where: { $0.adapter == adapter }) else { return }
    entries[index].users -= 1
  }
}
