/// Reads dates and times of day exactly, by integer arithmetic.
enum CalendarTime {
  /// Nanoseconds from 1970-01-01 00:00 to a time such as `2023-11-16 18:15:46.6805900`.
  ///
  /// The fraction has at most 9 digits and may be absent; `T` may stand for the space; `Z`, `+hh:mm` or `-hh:mm` may
  /// follow. Without them the time counts as UTC, which differences do not notice.
  /// - Returns: Nothing for any other text, for a day the calendar lacks, and for years outside 1970 to 2200.
  static func nanoseconds(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    var scanner = DigitScanner(text)
    guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
      let day = scanner.number(2), scanner.skip(" ") || scanner.skip("T"),
      let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"),
      let second = scanner.number(2), let fraction = scanner.fraction(), let offset = scanner.offset(),
      scanner.isAtEnd, let days = days(year, month, day), hour < 24, minute < 60, second < 60
    else { return nil }
    let seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return Int64(seconds) * 1_000_000_000 + Int64(fraction)
  }

  /// Days from 1970-01-01 to a day of the Gregorian calendar.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
    guard (1970...2200).contains(year), (1...12).contains(month) else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = (month == 2) ? (isLeap ? 29 : 28) : ([4, 6, 9, 11].contains(month) ? 30 : 31)
    guard (1...lengths).contains(day) else { return nil }
    // Years counted from March put the leap day last; months from March have 30.6 days on average.
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = (month + 9) % 12
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    return marchYear * 365 + leapDays + (marchMonth * 306 + 5) / 10 + day - 1 - 719_468
  }
}

/// Takes digits and marks from the front of a text.
private struct DigitScanner {
  let text: UnsafeBufferPointer<UInt8>
  var position = 0

  init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  var isAtEnd: Bool { position == text.count }

  mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard position < text.count, UInt32(text[position]) == mark.value else { return false }
    position += 1
    return true
  }

  mutating func digit() -> Int? {
    guard position < text.count, (48...57).contains(text[position]) else { return nil }
    position += 1
    return Int(text[position - 1]) - 48
  }

  mutating func number(_ digits: Int) -> Int? {
    var number = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      number = number * 10 + digit
    }
    return number
  }

  /// `.6805900` in nanoseconds; 0 when there is no point.
  mutating func fraction() -> Int? {
    guard skip(".") else { return 0 }
    guard var number = digit() else { return nil }
    var digits = 1
    while digits < 9, let digit = digit() {
      number = number * 10 + digit
      digits += 1
    }
    for _ in digits..<9 { number *= 10 }
    return number
  }

  /// Seconds ahead of UTC: `Z`, `+02:00`; 0 when nothing follows.
  mutating func offset() -> Int? {
    if isAtEnd || skip("Z") { return 0 }
    let isNegative = skip("-")
    guard isNegative || skip("+"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (isNegative ? -1 : 1)
  }
}
