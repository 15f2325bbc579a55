import CostModels
import Execution
import Hardware
import ModelGraph
import Quantities
import TestSupport
import Testing

@Suite struct HeatTests {
  private let limit = ThermalLimit(budget: Joules(100), sustained: Watts(5), clock: 0.5)

  private func work(_ seconds: Double, watts: Double) -> HeatAccount.Work {
    HeatAccount.Work(time: Seconds(seconds), energy: Joules(seconds * watts))
  }

  @Test func `work below what the case gets rid of never throttles`() {
    var account = HeatAccount(limit)
    #expect(account.run(work(1e6, watts: 5), slow: work(2e6, watts: 3)) == work(1e6, watts: 5))
    #expect(account.spentAfter == nil)
    #expect(account.timeLeft(at: Watts(5)) == nil)
  }

  @Test func `at 15 W a budget of 100 J above 5 W lasts ten seconds`() throws {
    var account = HeatAccount(limit)
    #expect(near(try #require(account.timeLeft(at: Watts(15))).value, 10))
    // Within the budget nothing changes, and half of it is left.
    #expect(account.run(work(5, watts: 15), slow: work(10, watts: 6)) == work(5, watts: 15))
    #expect(near(account.heat.value, 50))
    // 5 s more at full rate; of the other 15 s of work each second takes 2 s at 6 W, stretched to 5 W: 2.4 s.
    let done = account.run(work(20, watts: 15), slow: work(40, watts: 6))
    #expect(near(done.time.value, 5 + 15 * 2.4))
    #expect(near(try #require(account.spentAfter).value, 10))
    // On average no more than the case gets rid of, from then on.
    #expect(near((done.energy.value - 75) / (done.time.value - 5), 5))
  }

  @Test func `a device that cools at its low clock comes and goes between both`() {
    let account = HeatAccount(limit)
    // 15 W at full rate and 3 W at half: a sixth of the time at full rate draws 5 W on average.
    let done = account.lasting(work(1, watts: 15), slow: work(2, watts: 3))
    #expect(near(1 / done.time.value, 1.0 / 6 + 5.0 / 6 / 2))
    #expect(near(done.power.value, 5))
  }

  @Test func `waiting cools`() {
    var account = HeatAccount(limit)
    _ = account.run(work(5, watts: 15), slow: work(10, watts: 6))
    _ = account.run(work(4, watts: 0), slow: work(4, watts: 0))
    #expect(near(account.heat.value, 30))
  }

  @Test func `a phone answers a short question at full rate and a long one more slowly`() throws {
    let library = try Placed.library.get()
    let request = Library.Request(model: "llama-3.2-1b", hardware: "snapdragon-8-gen-3", runtime: "llama-cpp")
    let deployment = try library.deployment(request)
    let predictor = Predictor(deployment)
    let brief = try predictor.predict(BatchCase(sequences: 1, inputTokens: 32, outputTokens: 32))
    #expect(brief.throttledAfter == nil)
    let long = try predictor.predict(BatchCase(sequences: 1, inputTokens: 32, outputTokens: 8192))
    let after = try #require(long.throttledAfter)
    #expect(after < long.endToEnd)
    let (quick, slow) = (try #require(brief.tpot), try #require(long.tpot))
    #expect(slow > quick * 1.2)
    // What was drawn beyond the case's 2.5 W is the budget.
    let limit = try #require(deployment.thermal)
    #expect(near((long.energy - limit.sustained * long.endToEnd).value, limit.budget.value, within: 0.02))
    let spans = deployment.graph.spans
    let share = try #require(
      deployment.sustainedShare(of: .decode(sequences: 1, context: 512, spans: spans)))
    #expect(share > 0.1 && share < 1)
  }

  @Test func `devices with fans keep their clocks`() throws {
    let deployment = try Placed.deployment("llama-3-8b", "h100-sxm")
    #expect(deployment.throttled == nil)
  }
}
