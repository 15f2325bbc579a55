import Testing

@testable import Statistics

@Suite struct StudentTTests {
  @Test(arguments: [(1, 12.706), (9, 2.262), (29, 2.045), (100_000, 1.960)])
  func halfWidthAgreesWithPublishedTables(degrees: Int, expected: Double) {
    #expect(abs(StudentT.halfWidth(confidence: 0.95, degreesOfFreedom: degrees) - expected) < 0.001)
  }
}
