import Foundation
import Testing

@testable import Workloads

@Suite struct CalendarTimeTests {
  private func nanoseconds(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBufferPointer(CalendarTime.nanoseconds)
  }

  @Test func `every day from 1970 to 2200 follows the one before`() {
    var expected: Int64 = 0
    for year in 1970...2200 {
      for month in 1...12 {
        for day in 1...31 {
          let text = String(format: "%04d-%02d-%02d 00:00:00", year, month, day)
          guard let found = nanoseconds(text) else { continue }
          #expect(found == expected)
          expected += 86_400_000_000_000
        }
      }
    }
    #expect(expected == 84_371 * 86_400_000_000_000)
  }

  @Test func `fractions and offsets are exact`() {
    #expect(nanoseconds("1970-01-01 00:00:01.000000001") == 1_000_000_001)
    #expect(nanoseconds("1970-01-01T01:00:00.5Z") == 3_600_500_000_000)
    #expect(nanoseconds("1970-01-01 02:00:00+01:30") == 1_800_000_000_000)
    #expect(nanoseconds("1970-01-01 00:00:00-00:01") == 60_000_000_000)
    #expect(nanoseconds("2023-11-16 18:15:46.6805900") == 1_700_158_546_680_590_000)
  }

  @Test(arguments: [
    "", "2023", "2023-13-01 00:00:00", "2023-00-01 00:00:00", "2023-01-32 00:00:00", "2100-02-29 00:00:00",
    "2023-01-01 24:00:00", "2023-01-01 00:60:00", "2023-01-01 00:00:60", "2023-01-01 00:00:00.",
    "2023-01-01 00:00:00.1234567890", "2023-01-01  0:00:00", "1969-12-31 23:59:59", "2023-01-01 00:00:00+24:00",
    "2023-01-01 00:00:00 ", "2023-1-01 00:00:00",
  ])
  func `what the calendar lacks is refused`(text: String) {
    #expect(nanoseconds(text) == nil)
  }
}
