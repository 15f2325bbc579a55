import Documents
import EventKernel
import Foundation
import Statistics
import TestSupport
import Testing
import Workloads

@testable import Serving

@Suite struct LengthPredictorTests {
  private func tau(_ lengths: [Int], _ knowledge: LengthKnowledge) throws -> Double {
    var predictor = LengthPredictor(knowledge, seed: 3)
    let pairs = lengths.map { length in (x: length, y: predictor.predict(Request(at: 0, 1, length))) }
    return try #require(KendallTau.b(pairs))
  }

  private func lengths(_ traffic: String) throws -> [Int] {
    let file = try Catalogue<Traffic>(folder: Repository.folder + "/Workloads/Traffic").find(traffic)
    var source = TrafficGenerator(file, seed: 5, requests: 4000)
    var lengths: [Int] = []
    while let request = try source.next() { lengths.append(request.outputTokens) }
    return lengths
  }

  @Test(arguments: ["azure-conversation", "azure-code"], [0.0, 0.2, 0.5, 0.8, 0.95])
  func `predictions rank the lengths of the Azure traces as well as stated`(traffic: String, stated: Double) throws {
    let measured = try tau(lengths(traffic), .ranked(tau: stated))
    #expect(abs(measured - stated) < 0.03, "\(measured)")
  }

  @Test func `two lengths, or very uneven ones, are ranked as well as stated`() throws {
    var random = RandomStream(seed: 1, name: "lengths")
    let uneven = (0..<4000).map { _ in Int(PortableMath.exp(3 + 3 * random.normal())) + 1 }
    #expect(abs(try tau(uneven, .ranked(tau: 0.6)) - 0.6) < 0.03)
    #expect(abs(try tau(uneven, .ranked(tau: 1)) - 1) < 1e-12)
    #expect(abs(try tau(uneven, .oracle) - 1) < 1e-12)
  }

  @Test func `who is told nothing sees nothing, and predictions are lengths that occur`() {
    var none = LengthPredictor(.none, seed: 1)
    #expect(none.predict(Request(at: 0, 1, 50)) == 0)
    var ranked = LengthPredictor(.ranked(tau: 0.5), seed: 1)
    let seen = Set((0..<500).map { _ in ranked.predict(Request(at: 0, 1, 50)) })
    #expect(seen == [50])
  }

  @Test func `shares and lengths are each other's inverse, exactly up to 4096 and to 1.6 percent beyond`() {
    var ranks = LengthRanks()
    let lengths = (0..<200).map { 1 + $0 * $0 * 40 }
    for length in lengths { ranks.add(length) }
    for length in lengths {
      let found = ranks.length(at: ranks.share(below: length))
      #expect(found <= length && Double(found) >= Double(length) * (length <= 4096 ? 1 : 0.984), "\(length) \(found)")
    }
    #expect(ranks.length(at: 0) == 1 && ranks.count == 200)
    ranks.add(100_000_000)
    #expect(abs(Double(ranks.length(at: 1)) / 1e8 - 1) < 0.016)
  }
}
