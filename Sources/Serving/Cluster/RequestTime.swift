import CostModels

/// Time between client and engine, both ways together, in whole nanoseconds.
struct RequestTime {
  private let each: Int64
  private let picosecondsPerToken: Int64

  init(_ constants: Constants) {
    each = Int64((constants[.requestOverhead] * 1e9).rounded())
    picosecondsPerToken = Int64((constants[.requestPerToken] * 1e12).rounded())
  }

  var isNone: Bool { each == 0 && picosecondsPerToken == 0 }

  /// Nanoseconds of one request.
  func nanoseconds(inputTokens: Int) -> Int64 { each + picosecondsPerToken * Int64(inputTokens) / 1000 }
}
