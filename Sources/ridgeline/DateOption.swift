import ArgumentParser
import Foundation

/// The day that written files carry.
struct DateOption: ParsableArguments {
  @Option(help: "Date that written files carry, as 2026-11-23; default: today.")
  var date: String?

  /// - Throws: ``UsageError`` for what is no day of the calendar.
  func resolved() throws -> String {
    let format = Self.format()
    guard let date else { return format.string(from: Date()) }
    guard let day = format.date(from: date), format.string(from: day) == date else {
      throw UsageError("--date: found '\(date)', expected a day such as 2026-11-23")
    }
    return date
  }

  private static func format() -> DateFormatter {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyy-MM-dd"
    return formatter
  }
}
