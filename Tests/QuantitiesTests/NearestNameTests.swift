import Testing

@testable import Quantities

@Suite struct NearestNameTests {
  private let names = ["h100-sxm", "h100-pcie", "h200-sxm", "a100-sxm-80gb", "rtx-4090"]

  @Test(arguments: [
    ("h100-smx", "h100-sxm"), ("H100-SXM", "h100-sxm"), ("h10-sxm", "h100-sxm"), ("h100sxm", "h100-sxm"),
    ("rtx4090", "rtx-4090"), ("h200-sxn", "h200-sxm"),
  ])
  func `a slip of the keyboard finds the name`(text: String, name: String) {
    #expect(nearestName(to: text, among: names) == name)
  }

  @Test func `a part of a name finds the shortest name that has it`() {
    #expect(nearestName(to: "h100", among: names) == "h100-sxm")
    #expect(nearestName(to: "4090", among: names) == "rtx-4090")
  }

  @Test(arguments: ["tpu", "", "x", "something-else", String(repeating: "h100-sxm", count: 100)])
  func `a text that resembles nothing finds nothing`(text: String) {
    #expect(nearestName(to: text, among: names) == nil)
  }

  @Test func `without names there is none near`() { #expect(nearestName(to: "h100", among: []) == nil) }

  @Test func `of equally near names the first is taken`() {
    #expect(nearestName(to: "mi200", among: ["mi210", "mi250"]) == "mi210")
  }
}
