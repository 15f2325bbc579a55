/// Says how many replicas a pool should have.
///
/// An autoscaler sees the pool at the end of each interval, as it is then, never the future. What it remembers is its own.
///
/// To add one: a file in `Autoscalers`, and a line in ``Autoscalers/all``.
package protocol Autoscaler: Sendable, SendableMetatype {
  static var description: PolicyDescription { get }
  init(_ values: PolicyValues)
  /// - Returns: Replicas wanted; bounds are the plan's.
  mutating func replicas(_ pool: PoolView) -> Int
}

/// What an autoscaler may know of a pool.
package struct PoolView: Sendable {
  /// Seconds of the interval that ends now.
  package var interval: Double
  /// Replicas that take requests, and those that start up.
  package var up: Int
  package var starting: Int
  /// Requests of the pool, waiting or running, and those of them that wait; on a decode pool with those that wait for
  /// room there.
  package var outstanding: Int
  package var waiting: Int
  /// Share of the KV blocks in use, of the replicas that are up.
  package var occupancy: Double
  /// Requests that came to the pool in the interval.
  package var arrivals: Int
}
