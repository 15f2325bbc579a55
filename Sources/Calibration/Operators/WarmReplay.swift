import Hardware
import ModelGraph
import Quantities

/// How a benchmark that repeats one operator finds its data: a cache of keys and values that fits the device's cache
/// stays there and is read faster.
///
/// This belongs to the measurement. In a step every layer's cache has been pushed out by all the others', so prices take
/// it from main memory; the fit explains the warm rows by these two numbers and leaves them behind.
struct WarmReplay: Sendable {
  /// Share of the cache that one operator's data may fill.
  var share: Double
  /// How many times faster than main memory it is read.
  var speed: Double

  static let shareRange = 0.05...3.0
  static let speedRange = 1.0...12.0

  /// The operator with the bytes that main memory would deliver in the time reading takes.
  func seen(_ work: Operator, on device: Device) -> Operator {
    guard let cache = device.lastLevelCache, work.traffic.kvRead > .zero else { return work }
    let fill = work.traffic.kvRead / (cache * share)
    let squared = fill * fill
    let warm = 1 / (1 + squared * squared)
    var seen = work
    seen.traffic.kvRead = work.traffic.kvRead * (1 - warm + warm / speed)
    return seen
  }
}

extension Device {
  /// The largest cache that all units share.
  fileprivate var lastLevelCache: Bytes? { memories.filter { $0.level == .cache }.map(\.capacity).max() }
}
