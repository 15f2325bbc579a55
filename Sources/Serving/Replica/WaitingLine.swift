import DequeModule
import HeapModule

/// The requests that wait for a place in the batch, kept as the scheduler's ``LineOrder`` says.
///
/// Requests that ended while they waited stay as empty places, and are passed over when they come up.
struct WaitingLine {
  /// A waiting request by key; earlier ones first among equals.
  struct Place: Comparable {
    var key: Double
    var order: Int64
    var row: Int32

    static func < (a: Place, b: Place) -> Bool { a.key != b.key ? a.key < b.key : a.order < b.order }
    static func == (a: Place, b: Place) -> Bool { a.key == b.key && a.order == b.order }
  }

  private enum Places {
    /// In ``arrivals``, the commonest line, which is spared the unpacking.
    case arrival
    case key(Heap<Place>)
    case tenants([Deque<Int32>])
    case changingKey([Int32])
  }

  private var places: Places
  private var arrivals: Deque<Int32> = []
  let isByArrival: Bool
  /// Requests that wait.
  private(set) var count = 0
  /// The request that goes next, once known; forgotten when anything changes.
  private var best: Int32?

  init(_ order: LineOrder, tenants: Int) {
    isByArrival = order.isByArrival
    places =
      switch order {
      case .arrival: .arrival
      case .key: .key(Heap())
      case .tenants: .tenants(Array(repeating: [], count: tenants))
      case .changingKey: .changingKey([])
      }
  }

  var isEmpty: Bool { count == 0 }

  /// Whether who goes next depends on the time.
  var changesWithTime: Bool {
    switch places {
    case .arrival, .key: false
    case .tenants, .changingKey: true
    }
  }

  /// The same as ``add(_:tenant:atHead:place:)`` for a line by arrival.
  mutating func addByArrival(_ row: Int32, atHead: Bool) {
    count += 1
    best = nil
    if atHead { arrivals.prepend(row) } else { arrivals.append(row) }
  }

  /// Puts a request into the line; `atHead` before the others of the same arrival order or key, as one that was
  /// preempted.
  mutating func add(_ row: Int32, tenant: Int, atHead: Bool, place: () -> Place) {
    if isByArrival { return addByArrival(row, atHead: atHead) }
    count += 1
    best = nil
    switch places {
    case .arrival: break
    case .key(var heap):
      places = .arrival
      heap.insert(place())
      places = .key(heap)
    case .tenants(var lines):
      places = .arrival
      if atHead { lines[tenant].prepend(row) } else { lines[tenant].append(row) }
      places = .tenants(lines)
    case .changingKey(var rows):
      places = .arrival
      rows.append(row)
      places = .changingKey(rows)
    }
  }

  /// One that waited has ended; its place is passed over later.
  mutating func forgetOne() {
    count -= 1
    best = nil
  }

  /// The request that goes next.
  /// - Parameters:
  ///   - isWaiting: Whether a place still has its request.
  ///   - place: The key of a request now; asked only where keys change.
  mutating func next(isWaiting: (Int32) -> Bool, place: (Int32) -> Place) -> Int32? {
    guard count > 0 else { return nil }
    if let best { return best }
    best = find(isWaiting, place)
    return best
  }

  /// The request at the head of a line by arrival, whether it still waits or not; nothing for other lines.
  var headByArrival: Int32? { arrivals.first }

  private mutating func find(_ isWaiting: (Int32) -> Bool, _ place: (Int32) -> Place) -> Int32? {
    switch places {
    case .arrival:
      while let row = arrivals.first, !isWaiting(row) { arrivals.removeFirst() }
      return arrivals.first
    case .key(var heap):
      places = .arrival
      while let first = heap.min, !isWaiting(first.row) { heap.removeMin() }
      places = .key(heap)
      return heap.min?.row
    case .tenants(var lines):
      places = .arrival
      for tenant in lines.indices {
        while let row = lines[tenant].first, !isWaiting(row) { lines[tenant].removeFirst() }
      }
      places = .tenants(lines)
      return lines.compactMap(\.first).map(place).min()?.row
    case .changingKey(var rows):
      places = .arrival
      rows.removeAll { !isWaiting($0) }
      places = .changingKey(rows)
      return rows.map(place).min()?.row
    }
  }

  /// Takes out the request that ``next(isWaiting:place:)`` gave.
  mutating func removeNext(_ row: Int32, tenant: Int) {
    count -= 1
    best = nil
    if isByArrival {
      arrivals.removeFirst()
      return
    }
    switch places {
    case .arrival: break
    case .key(var heap):
      places = .arrival
      heap.removeMin()
      places = .key(heap)
    case .tenants(var lines):
      places = .arrival
      lines[tenant].removeFirst()
      places = .tenants(lines)
    case .changingKey(var rows):
      places = .arrival
      rows.removeAll { $0 == row }
      places = .changingKey(rows)
    }
  }

  /// Keys may have changed with time or service.
  mutating func refresh() { if changesWithTime { best = nil } }

  /// Everybody who waits, in no particular order.
  func rows(isWaiting: (Int32) -> Bool) -> [Int32] {
    switch places {
    case .arrival: arrivals.filter(isWaiting)
    case .key(let heap): heap.unordered.map(\.row).filter(isWaiting)
    case .tenants(let lines): lines.flatMap { $0 }.filter(isWaiting)
    case .changingKey(let rows): rows.filter(isWaiting)
    }
  }
}
