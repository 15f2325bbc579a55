/// Requests in order of arrival, one at a time, in constant memory.
///
/// A trace reads them from a file, a generator makes them up. Arrivals never go back.
package protocol RequestSource {
  /// The next request, or nothing after the last.
  /// - Throws: `DataError`, naming file and line, when a trace is faulty.
  mutating func next() throws -> Request?

  /// How many requests there are in all, when that is known beforehand.
  var count: Int? { get }

  /// The blocks that the requests' prefixes refer to; nothing when the source knows no prefixes.
  var prefixes: PrefixPool? { get }
}

extension RequestSource {
  package var prefixes: PrefixPool? { nil }
}
