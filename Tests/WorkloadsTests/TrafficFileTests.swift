import Documents
import EventKernel
import Foundation
import Quantities
import Testing

@testable import Workloads

@Suite struct TrafficFileTests {
  private static func text(
    arrivals: String = "{process: poisson, rate_per_s: 4, source: s}",
    input: String = "{distribution: fixed, tokens: 5, source: s}",
    output: String = "{distribution: fixed, tokens: 6, source: s}", more: String = ""
  ) -> String {
    """
    name: test
    title: Test
    sources: {s: "chosen for this test"}
    requests: 10
    arrivals: \(arrivals)
    input_tokens: \(input)
    output_tokens: \(output)
    \(more)
    """
  }

  private func drawn(_ traffic: Traffic) -> TrafficClass.DrawnLengths? {
    if case .drawn(let lengths) = traffic.classes[0].lengths { lengths } else { nil }
  }

  private static func parse(_ text: String) throws -> Traffic { try TrafficFile.parse(text, file: "test.yaml") }

  @Test func `every process and distribution is read`() throws {
    let gamma = try Self.parse(Self.text(arrivals: "{process: gamma, rate_per_s: 2, cv: 2, source: s}"))
    #expect(gamma.arrivals == .gamma(rate: 2, shape: 0.25))
    let steady = try Self.parse(
      Self.text(
        arrivals: "{process: constant, rate_per_s: 2, source: s}",
        input: "{distribution: uniform, min: 2, max: 9, source: s}",
        output: "{distribution: lognormal, median: 50, sigma: 0.5, min: 1, max: 99, source: s}",
        more: "dependence: {rank_correlation: -0.5, source: s}"))
    #expect(steady.arrivals == .constant(rate: 2))
    #expect(
      drawn(steady)
        == TrafficClass.DrawnLengths(
          input: .uniform(2...9), output: .lognormal(.init(median: 50, sigma: 0.5, range: 1...99)),
          rankCorrelation: -0.5))
    #expect(steady.citations["arrivals.rate_per_s"] == "chosen for this test")
    let bursts = try Self.parse(
      Self.text(
        arrivals: "{process: on-off, rate_on_per_s: 9, rate_off_per_s: 0, on_s: 1, off_s: 2, source: s}",
        input: "{distribution: quantiles, points: [[0, 3], [0.5, 9], [1, 20]], source: s}"))
    #expect(bursts.meanRate == 3)
    #expect(bursts.scaled(toRate: 6)?.meanRate == 6)
    guard case .quantiles(let table) = drawn(bursts)?.input else {
      Issue.record("expected a quantile table")
      return
    }
    #expect(table.points.map(\.tokens) == [3, 9, 20])
  }

  private static let faults: [(text: String, message: String)] = [
    (
      text(arrivals: "{process: poisson, rate: 4, source: s}"),
      "test.yaml:5: arrivals: 'rate_per_s' is missing"
    ),
    (
      text(arrivals: "{process: poisson, rate_per_s: 4, shape: 2, source: s}"),
      "test.yaml:5: arrivals.shape: unknown key"
    ),
    (text(arrivals: "{process: poisson, rate_per_s: 4}"), "test.yaml:5: arrivals: 'source' is missing"),
    (
      text(arrivals: "{process: poison, rate_per_s: 4, source: s}"),
      "test.yaml:5: arrivals.process: found 'poison', expected one of poisson, gamma, weibull, "
        + "constant, diurnal, spikes, stages, on-off, closed-loop; did you mean 'poisson'?"
    ),
    (
      text(arrivals: "{process: gamma, rate_per_s: 4, source: s}"),
      "test.yaml:5: arrivals: 'shape' or 'cv' is missing"
    ),
    (
      text(arrivals: "{process: gamma, rate_per_s: 4, cv: 1, shape: 1, source: s}"),
      "test.yaml:5: arrivals: has both 'shape' and 'cv', expected one of them"
    ),
    (
      text(arrivals: "{process: on-off, rate_on_per_s: 0, rate_off_per_s: 0, on_s: 1, off_s: 2, source: s}"),
      "test.yaml:5: arrivals: brings 0.0 requests in a cycle of on and off, expected at least 0.001"
    ),
    (
      text(arrivals: "{process: poisson, rate_per_s: 0, source: s}"),
      "test.yaml:5: arrivals.rate_per_s: found 0.0, expected a number from 1e-06 to 1000000.0"
    ),
    (
      text(input: "{distribution: uniform, min: 9, max: 2, source: s}"),
      "test.yaml:6: input_tokens.max: found 2, expected a whole number from 9 to 100000000"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.5, 2], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[1]: 2 tokens follow 3, expected no fewer"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.5, 4], [0.5, 20], [1, 30]], source: s}"),
      "test.yaml:6: input_tokens.points[2]: share 0.5 follows 0.5, expected a larger one"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0.1, 3], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[0]: the first share is 0.1, expected 0"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3], [0.9, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[1]: the last share is 0.9, expected 1"
    ),
    (
      text(input: "{distribution: quantiles, points: [], source: s}"),
      "test.yaml:6: input_tokens.points: expected 2 to 65536 points, found 0"
    ),
    (
      text(input: "{distribution: quantiles, points: [[0, 3, 4], [1, 20]], source: s}"),
      "test.yaml:6: input_tokens.points[0]: has 3 numbers, expected [share, tokens]"
    ),
    (text(more: "dependance: {}"), "test.yaml:8: dependance: unknown key; did you mean 'dependence'?"),
  ]

  @Test(arguments: faults)
  func `a faulty file is refused with place, finding and expectation`(fault: (text: String, message: String)) {
    #expect(message { try Self.parse(fault.text) } == fault.message)
  }

  private static func classes(_ first: String, top: String = "") -> String {
    """
    name: test
    title: Test
    sources: {s: "chosen for this test"}
    requests: 10
    \(top)
    classes:
      - {name: a, \(first), input_tokens: {distribution: fixed, tokens: 5, source: s}, output_tokens: {distribution: fixed, tokens: 5, source: s}, source: s}
    """
  }

  private static let common = "arrivals: {process: poisson, rate_per_s: 4, source: s}"

  @Test func `every process that came later is read`() throws {
    func arrivals(_ text: String) throws -> ArrivalProcess? {
      try Self.parse(Self.text(arrivals: "{process: \(text), source: s}")).arrivals
    }
    #expect(try arrivals("weibull, rate_per_s: 2, shape: 0.5") == .weibull(rate: 2, shape: 0.5))
    #expect(
      try arrivals("diurnal, rate_per_s: 2, amplitude: 0.5, period: 24 h, peak_at: 14 h, cv: 2")
        == ArrivalProcess(
          gaps: .gamma(shape: 0.25),
          pace: .diurnal(.init(rate: 2, amplitude: 0.5, periodSeconds: 86400, peakSeconds: 50400))))
    #expect(
      try arrivals("spikes, rate_per_s: 2, factor: 5, duration: 30 s, every: 10 min, first_at: 0 s")
        == ArrivalProcess(
          gaps: .exponential,
          pace: .spikes(.init(rate: 2, factor: 5, seconds: 30, times: .every(seconds: 600, first: 0)))))
    #expect(
      try arrivals("spikes, rate_per_s: 2, factor: 5, duration: 30 s, at: [1 min, 2 min]")?.pace
        == .spikes(.init(rate: 2, factor: 5, seconds: 30, times: .at([60, 120]))))
    #expect(
      try arrivals(
        "stages, stages: [{rate_per_s: 2.5, duration: 600 s}, {rate_per_s: 6, duration: 10 min}], counts: exact")?
        .pace
        == .stages(.init(list: [.init(rate: 2.5, seconds: 600), .init(rate: 6, seconds: 600)], counts: .exact)))
    #expect(
      try arrivals("closed-loop, users: 8, ramp: 5 s, think_time: {distribution: exponential, mean: 2 s, source: s}")?
        .closedLoop == .init(users: 8, rampSeconds: 5, thinkTime: .exponential(mean: 2)))
  }

  @Test func `classes are read with all they may have`() throws {
    let traffic = try Self.parse(
      """
      name: test
      title: Test
      sources: {s: "chosen for this test"}
      requests: 10
      \(Self.common)
      objectives: {ttft: 500 ms, source: s}
      timeout: 2 min
      source: s
      classes:
        - name: chat
          tenant: acme
          weight: 2
          priority: -1
          share: 3
          source: s
          input_tokens: {distribution: zipf, exponent: 1, min: 10, max: 500, source: s}
          output_tokens:
            distribution: mixture
            parts:
              - {weight: 1, distribution: pareto, shape: 2, min: 10, max: 900, source: s}
              - {weight: 2, distribution: geometric, mean: 30, source: s}
          objectives: {tpot: 50 ms, e2e: 1 min, source: s}
          patience: {distribution: lognormal, median: 30 s, sigma: 0.5, source: s}
          samples: {distribution: fixed, count: 2, source: s}
          adapters: {count: 20, popularity: zipf, exponent: 0.9, share: 0.5, source: s}
          system_prompts: {count: 9, tokens: {distribution: fixed, tokens: 100, source: s}, popularity: cycle, source: s}
          repeat: {questions: 5, source: s}
        - name: agent
          arrivals: {process: poisson, rate_per_s: 1, source: s}
          input_tokens: {distribution: fixed, tokens: 5, source: s}
          output_tokens: {distribution: fixed, tokens: 5, source: s}
          agents:
            steps: {distribution: fixed, count: 7, source: s}
            tool_time: {distribution: pareto, min: 1 s, shape: 2, source: s}
            tool_tokens: {distribution: fixed, tokens: 9, source: s}
            branches: {distribution: uniform, min: 1, max: 3, source: s}
            context: 32768
            source: s
        - name: sessions
          share: 1
          timeout: 5 s
          source: s
          input_tokens: {distribution: fixed, tokens: 5, source: s}
          output_tokens: {distribution: fixed, tokens: 5, source: s}
          sessions:
            turns: {distribution: geometric, mean: 3, max: 40, source: s}
            think_time: {distribution: uniform, min: 1 s, max: 2 s, source: s}
            later_input_tokens: {distribution: fixed, tokens: 9, source: s}
      """)
    let (chat, agent, sessions) = (traffic.classes[0], traffic.classes[1], traffic.classes[2])
    #expect(
      chat.about
        == RequestClass(
          name: "chat", tenant: "acme", weight: 2, priority: -1,
          objective: ServiceObjective(timePerOutputToken: Seconds(0.05), endToEnd: Seconds(60)), timeout: Seconds(120)))
    #expect(chat.arrivals == .share(3) && chat.samples == .fixed(2))
    #expect(chat.patience == .lognormal(median: 30, sigma: 0.5))
    #expect(
      chat.adapters == .init(count: 20, popularity: .zipf(ZipfTable(range: 1...20, exponent: 0.9)), share: 0.5))
    #expect(chat.systemPrompts == .init(count: 9, tokens: .fixed(100), popularity: .cycle))
    #expect(chat.questions == .init(count: 5, popularity: .uniform))
    #expect(agent.about.tenant == "agent" && agent.about.objective.timeToFirstToken == Seconds(0.5))
    #expect(
      agent.sessions
        == .init(
          turns: .fixed(7), pause: .pareto(smallest: 1, shape: 2), laterInput: .fixed(9), branches: .uniform(1...3),
          context: 32768))
    #expect(sessions.about.timeout == Seconds(5))
    #expect(
      sessions.sessions
        == .init(turns: .geometric(.init(mean: 3, largest: 40)), pause: .uniform(1...2), laterInput: .fixed(9)))
    #expect(traffic.citations["classes[0].adapters.count"] == "chosen for this test")
  }

  @Test func `recorded lengths and conversations are found beside the file`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("traffic-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ name: String, _ text: String) throws {
      try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    try write("pairs.csv", "arrival_s,input_tokens,output_tokens\n0,5,6\n1,7,8\n")
    try write("chats.json", #"[{"conversations": [{"from": "human", "tokens": 4}, {"from": "gpt", "tokens": 9}]}]"#)
    let head = "name: t\ntitle: T\nsources: {s: x}\nrequests: 10\n\(Self.common)\n"
    try write("t.yaml", head + "lengths: {trace: pairs.csv, source: s}\n")
    let path = folder.appendingPathComponent("t.yaml").path
    let pairs = try all(TrafficGenerator(TrafficFile.read(path: path), seed: 1))
    #expect(pairs.allSatisfy { [[5, 6], [7, 8]].contains([$0.inputTokens, $0.outputTokens]) })
    let sessions = "sessions: {think_time: {distribution: fixed, time: 1 s, source: s}}\n"
    try write("t.yaml", head + "conversations: {file: chats.json, source: s}\n" + sessions)
    let chats = try all(TrafficGenerator(TrafficFile.read(path: path), seed: 1))
    #expect(chats.allSatisfy { $0.inputTokens == 4 && $0.outputTokens == 9 && $0.session >= 0 })
    try write("t.yaml", head + "lengths: {trace: gone.csv, source: s}\n")
    #expect(message { try TrafficFile.read(path: path) }.hasSuffix("gone.csv: no such file"))
  }

  private static let composedFaults: [(text: String, message: String)] = [
    (classes("share: 1"), "test.yaml:1: class 'a' has a share of arrivals, but 'arrivals' is missing"),
    (
      classes("weight: 1, arrivals: {process: constant, rate_per_s: 1, source: s}", top: common),
      "test.yaml:5: arrivals: no class has a share of these arrivals: each has its own"
    ),
    (classes("priority: 1", top: common), "test.yaml:7: classes[0]: 'share' or 'arrivals' is missing"),
    (
      classes("share: 1, shares: 2", top: common),
      "test.yaml:7: classes[0].shares: unknown key; did you mean 'share'?"
    ),
    (
      classes("share: 1, timeout: 5", top: common),
      "test.yaml:7: classes[0].timeout: found '5' without a unit, expected a time such as '1 s'"
    ),
    (
      classes(
        "share: 1, repeat: {questions: 2, source: s}, sessions: {turns: {distribution: fixed, count: 2, source: s}, "
          + "think_time: {distribution: fixed, time: 0 s, source: s}}", top: common),
      "test.yaml:7: classes[0].repeat: does not go with sessions, whose prompts grow"
    ),
    (
      classes("share: 1, samples: {distribution: fixed, tokens: 2, source: s}", top: common),
      "test.yaml:7: classes[0].samples: 'count' is missing"
    ),
    (
      classes("share: 1, adapters: {count: 9, popularity: zipf, source: s}", top: common),
      "test.yaml:7: classes[0].adapters: 'exponent' is missing"
    ),
    (
      classes(
        "agents: {steps: {distribution: fixed, count: 2, source: s}, tool_time: {distribution: fixed, time: 0 s, source: s}, "
          + "tool_tokens: {distribution: fixed, tokens: 2, source: s}, branches: {distribution: fixed, count: 2, source: s}}, "
          + "share: 1", top: "arrivals: {process: closed-loop, users: 2, source: s}"),
      "test.yaml:1: has agents with branches in a closed loop, where one answer brings forth one request"
    ),
    (
      text(arrivals: "{process: spikes, rate_per_s: 4, factor: 2, duration: 5 s, every: 5 s, source: s}"),
      "test.yaml:5: arrivals.every: is no longer than the spike, expected a longer time"
    ),
    (
      text(arrivals: "{process: spikes, rate_per_s: 4, factor: 2, duration: 5 s, at: [1 s, 3 s], source: s}"),
      "test.yaml:5: arrivals.at[1]: begins before the last spike ends, at 6.0 s"
    ),
    (
      text(arrivals: "{process: spikes, rate_per_s: 4, factor: 2, duration: 5 s, source: s}"),
      "test.yaml:5: arrivals: has neither 'every' nor 'at', expected one of them"
    ),
    (
      text(arrivals: "{process: weibull, rate_per_s: 4, cv: 0.001, source: s}"),
      "test.yaml:5: arrivals.cv: found 0.001, expected one of a shape from 0.1 to 100"
    ),
    (
      text(arrivals: "{process: stages, stages: [{rate_per_s: 0, duration: 5 s}], source: s}"),
      "test.yaml:5: arrivals: brings 0.0 requests in all, expected at least 1"
    ),
    (
      text(arrivals: "{process: diurnal, rate_per_s: 1, amplitude: 2, period: 1 h, source: s}"),
      "test.yaml:5: arrivals.amplitude: found 2.0, expected a number from 0.0 to 1.0"
    ),
    (
      text(input: "{distribution: mixture, parts: []}"),
      "test.yaml:6: input_tokens.parts: has 0 parts, expected 1 to 100"
    ),
    (
      text(
        input: "{distribution: mixture, parts: [{weight: 1, distribution: fixed, tokens: 2, source: s}]}",
        more: "dependence: {rank_correlation: 0.5, source: s}"),
      "test.yaml:8: dependence: does not go with a mixture, which has no quantiles"
    ),
    (
      text(input: "{distribution: zipf, exponent: 1, min: 1, max: 2000000, source: s}"),
      "test.yaml:6: input_tokens.max: found 2000000, expected a whole number from 1 to 1048576"
    ),
  ]

  @Test(arguments: composedFaults)
  func `a faulty composition is refused with place, finding and expectation`(fault: (text: String, message: String)) {
    #expect(message { try Self.parse(fault.text) } == fault.message)
  }

  @Test(arguments: [
    "chat-sessions", "research-agents", "coding-agents", "shared-prompts", "day-and-night", "closed-loop",
    "best-of-four",
  ])
  func `mutated files are read or refused, and what is read generates`(name: String) throws {
    let text = Array(try String(contentsOfFile: SharedData.traffic(name), encoding: .utf8).utf8)
    let telling = Array("{}[]:,.-+e0159 \n#".utf8)
    var stream = RandomStream(seed: 8, name: "fuzz.\(name)")
    var accepted = 0
    for _ in 0..<250 {
      var bytes = text
      for _ in 0...stream.integer(below: 3) {
        let place = stream.integer(below: bytes.count)
        switch stream.integer(below: 3) {
        case 0: bytes[place] = telling[stream.integer(below: telling.count)]
        case 1: bytes.remove(at: place)
        default: bytes.insert(telling[stream.integer(below: telling.count)], at: place)
        }
      }
      do {
        let traffic = try Self.parse(String(decoding: bytes, as: UTF8.self))
        let played = try played(TrafficGenerator(traffic, seed: 1, requests: 30))
        #expect(isSorted(played.map(\.request)))
        accepted += 1
      } catch {
        #expect(error is DataError, "\(error)")
      }
    }
    #expect(accepted > 10)
  }

  @Test func `a file must be named for its name`() throws {
    let found = message { try TrafficFile.read(path: SharedData.traffic("steady"), name: "other") }
    #expect(found.hasSuffix("name: found 'steady', expected 'other', the name of the file"))
  }

  @Test func `every traffic file of the repository is read and generates`() throws {
    let folder = SharedData.repository.appendingPathComponent("Workloads/Traffic").path
    let catalogue = try Catalogue<Traffic>(folder: folder)
    #expect(catalogue.names.contains("azure-conversation"))
    for traffic in try catalogue.all() {
      let requests = try played(TrafficGenerator(traffic, seed: 1, requests: 1000)).map(\.request)
      // A session may end before its context overflows; without sessions the number is exact.
      let least = traffic.classes.contains { $0.sessions != nil } ? 900 : 1000
      #expect((least...1000).contains(requests.count), "\(traffic.name)")
    }
  }
}
