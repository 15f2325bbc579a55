import Documents
import EventKernel
import Testing

@testable import Workloads

/// Traffic of several classes, sessions, agents, shared prompts and closed loops.
@Suite struct TrafficClassTests {
  private func plain(
    _ name: String, _ arrivals: TrafficClass.Arrivals = .share(1), input: LengthDistribution = .uniform(1...100),
    output: LengthDistribution = .uniform(1...50)
  ) -> TrafficClass {
    TrafficClass(
      about: RequestClass(name: name), arrivals: arrivals, lengths: .drawn(.init(input: input, output: output)))
  }

  private func traffic(_ classes: [TrafficClass], arrivals: ArrivalProcess? = nil, requests: Int = 2000) -> Traffic {
    Traffic(
      name: "test", title: "Test", aliases: [], arrivals: arrivals, classes: classes, requests: requests, citations: [:]
    )
  }

  private func chat(_ arrivals: TrafficClass.Arrivals = .own(.poisson(rate: 2))) -> TrafficClass {
    var chat = plain("chat", arrivals, input: .uniform(5...80), output: .uniform(10...200))
    chat.sessions = TrafficClass.SessionPattern(
      turns: .geometric(.init(mean: 4, largest: 50)), pause: .exponential(mean: 3))
    return chat
  }

  // MARK: Merging

  @Test func `classes with arrivals of their own merge in order and keep their requests`() throws {
    let slow = plain("slow", .own(.poisson(rate: 1)))
    let fast = plain("fast", .own(.gamma(rate: 5, shape: 0.5)), input: .fixed(7))
    let both = try all(TrafficGenerator(traffic([slow, fast]), seed: 3))
    #expect(both.count == 2000 && isSorted(both))
    #expect(abs(Double(both.count { $0.classIndex == 1 }) / 2000 - 5.0 / 6) < 0.05)
    // Another class beside it leaves a class's requests as they were.
    let third = try all(TrafficGenerator(traffic([slow, fast, plain("new", .own(.constant(rate: 2)))]), seed: 3))
    for item in [0, 1] as [UInt16] {
      let (left, right) = (both.filter { $0.classIndex == item }, third.filter { $0.classIndex == item })
      #expect(!right.isEmpty && Array(left.prefix(right.count)) == right)
    }
  }

  @Test func `equal arrivals of two classes come in the order of the classes`() throws {
    let classes = ["a", "b"].map { plain($0, .own(.constant(rate: 1))) }
    let requests = try all(TrafficGenerator(traffic(classes, requests: 10), seed: 1))
    #expect(requests.map(\.classIndex) == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
  }

  @Test func `shares divide the common arrivals`() throws {
    let classes = [plain("a", .share(1)), plain("b", .share(3))]
    let requests = try all(TrafficGenerator(traffic(classes, arrivals: .poisson(rate: 4), requests: 20_000), seed: 1))
    #expect(abs(requests.count { $0.classIndex == 1 } - 15_000) < 300)
    var longer = classes
    longer[0].lengths = .drawn(.init(input: .fixed(9), output: .fixed(9)))
    let other = try all(TrafficGenerator(traffic(longer, arrivals: .poisson(rate: 4), requests: 20_000), seed: 1))
    #expect(other.map(\.arrival) == requests.map(\.arrival))
    #expect(other.filter { $0.classIndex == 1 } == requests.filter { $0.classIndex == 1 })
  }

  @Test func `scaling keeps the classes' proportions and refuses closed loops`() throws {
    let mixed = traffic(
      [plain("a"), plain("b", .own(.constant(rate: 6)))],
      arrivals: .onOff(
        .init(onRate: 3, offRate: 1, onSeconds: 1, offSeconds: 1, phases: .fixed)))
    #expect(mixed.meanRate == 8)
    let scaled = try #require(mixed.scaled(toRate: 16))
    #expect(scaled.meanRate == 16 && scaled.arrivals?.meanRate == 4)
    let loop = ArrivalProcess(
      gaps: .equal, pace: .closed(.init(users: 2, rampSeconds: 0, thinkTime: .fixed(seconds: 0))))
    #expect(traffic([plain("a")], arrivals: loop).scaled(toRate: 3) == nil)
  }

  // MARK: Sessions

  @Test func `a session's next turn comes after the answer and the think time, with the whole history`() throws {
    var chat = chat()
    chat.sessions?.pause = .fixed(seconds: 3)
    let played = try played(TrafficGenerator(traffic([chat]), seed: 5))
    var latest: [Int32: Played] = [:]
    var later = 0
    for turn in played {
      let request = turn.request
      #expect(request.prompt.tokens == request.inputTokens && request.prompt.answerContinues)
      if let before = latest[request.session] {
        later += 1
        #expect(request.arrival - before.endedAt == 3_000_000_000)
        let own = request.inputTokens - before.request.inputTokens - before.request.outputTokens
        #expect((5...80).contains(own))
        #expect(request.prompt.stream == before.request.prompt.stream)
      } else {
        #expect((5...80).contains(request.inputTokens))
      }
      latest[request.session] = turn
    }
    #expect(played.count == 2000 && later > 1000)
    #expect(abs(Double(played.count) / Double(latest.count) - 4) < 0.5)
  }

  @Test func `sessions do not depend on how long answers take`() throws {
    func turns(_ nanoseconds: Int64) throws -> [[[Int]]] {
      let played = try played(TrafficGenerator(traffic([chat()]), seed: 5), nanoseconds: nanoseconds)
      return Dictionary(grouping: played.map(\.request), by: \.session).sorted { $0.key < $1.key }
        .map { $0.value.map { [$0.inputTokens, $0.outputTokens] } }
    }
    #expect(try turns(1) == turns(60_000_000_000))
  }

  @Test(arguments: [1, 0.5, 0])
  func `the forest holds live sessions while it runs and nothing at the end`(completion: Double) throws {
    var chat = chat()
    chat.systemPrompts = .init(count: 3, tokens: .fixed(100), popularity: .uniform)
    let generator = TrafficGenerator(traffic([chat]), seed: 5)
    let forest = try #require(generator.forest)
    #expect(forest.count == 3)
    var stream = RandomStream(seed: 1, name: "completion")
    var most = 0
    let played = try played(generator) { request in
      most = max(most, forest.count)
      #expect(forest.parent(of: request.prompt.stream)?.fork == 100)
      return stream.uniform() < completion
    }
    #expect(forest.count == 0)
    // At 2 sessions a second, each of about 13 s.
    #expect(most > 5 && most < 80)
    if completion == 1 { #expect(played.count == 2000) }
    if completion == 0 { #expect(Set(played.map(\.request.session)).count == played.count) }
  }

  @Test func `a session ends before its context overflows`() throws {
    var chat = chat()
    chat.sessions?.turns = .fixed(1000)
    chat.sessions?.context = 1000
    let played = try played(TrafficGenerator(traffic([chat]), seed: 5))
    #expect(played.allSatisfy { $0.request.inputTokens + $0.request.outputTokens <= 1000 })
    #expect(played.contains { $0.request.inputTokens > 600 })
  }

  @Test func `an agent's later steps bring what its tools returned`() throws {
    var agent = plain("agent", .own(.poisson(rate: 1)), input: .fixed(1000), output: .fixed(50))
    agent.sessions = TrafficClass.SessionPattern(
      turns: .fixed(5), pause: .uniform(1...2), laterInput: .fixed(300))
    let played = try played(TrafficGenerator(traffic([agent], requests: 50), seed: 5))
    for steps in Dictionary(grouping: played.map(\.request), by: \.session).values {
      #expect(steps.map(\.inputTokens) == [1000, 1350, 1700, 2050, 2400])
    }
  }

  @Test func `branches of an agent run side by side, and one request reads their answers`() throws {
    var agent = plain("agent", .own(.constant(rate: 0.01)), input: .fixed(1000), output: .fixed(50))
    agent.systemPrompts = .init(count: 1, tokens: .fixed(200), popularity: .cycle)
    agent.sessions = TrafficClass.SessionPattern(
      turns: .fixed(2), pause: .fixed(seconds: 4), laterInput: .fixed(300), branches: .fixed(3))
    let generator = TrafficGenerator(traffic([agent], requests: 14), seed: 5)
    let forest = try #require(generator.forest)
    var failed = false
    let requests = try played(generator) { request in
      // The second agent's first branch fails at once.
      defer { failed = failed || request.arrival.seconds >= 100 }
      return failed || request.arrival.seconds < 100
    }.map(\.request)
    // Answers take 1 s, tools 4 s: three branches of two steps, then the request that reads 3 x 50 tokens.
    #expect(requests.map(\.arrival.seconds) == [0, 0, 0, 5, 5, 5, 10, 100, 100, 100, 105, 105, 110])
    let steps = [1200, 1200, 1200, 1550, 1550, 1550, 1350]
    #expect(requests.map(\.inputTokens) == steps + [1200, 1200, 1200, 1550, 1550, 1300])
    #expect(Set(requests.map(\.session)).count == 8)
    #expect(forest.count == 0)
  }

  @Test func `recorded conversations are followed turn by turn`() throws {
    var table = ConversationTable()
    table.append([.init(input: 10, output: 20), .init(input: 5, output: 7)])
    table.append([.init(input: 100, output: 1)])
    var chat = chat()
    chat.lengths = .conversations(table)
    chat.sessions?.turns = nil
    let played = try played(TrafficGenerator(traffic([chat], requests: 500), seed: 5))
    let sessions = Dictionary(grouping: played.map(\.request), by: \.session)
    for turns in sessions.values {
      let lengths = turns.map { [$0.inputTokens, $0.outputTokens] }
      #expect([[[10, 20], [35, 7]], [[100, 1]], [[10, 20]]].contains(lengths))
    }
    #expect(sessions.values.count { $0[0].inputTokens == 100 } > 100)
  }

  // MARK: Closed loops

  @Test func `a closed loop has as many requests in flight as users, less those who think`() throws {
    let loop = ArrivalProcess(
      gaps: .equal, pace: .closed(.init(users: 8, rampSeconds: 2, thinkTime: .fixed(seconds: 2))))
    let played = try played(TrafficGenerator(traffic([plain("all")], arrivals: loop, requests: 80), seed: 1))
    #expect(played.count == 80)
    // Each user asks every 3 s: an answer of 1 s, 2 s of thinking.
    for (index, turn) in played.enumerated() {
      let expected = Double(index % 8) * 0.25 + Double(index / 8) * 3
      #expect(abs(turn.request.arrival.seconds - expected) < 1e-9)
    }
  }

  @Test func `users of a closed loop come back after failures and after sessions`() throws {
    let loop = ArrivalProcess(
      gaps: .equal, pace: .closed(.init(users: 3, rampSeconds: 0, thinkTime: .exponential(mean: 1))))
    let generator = TrafficGenerator(traffic([chat(.own(loop)), plain("b", .own(loop))], requests: 600), seed: 1)
    let forest = try #require(generator.forest)
    var count = 0
    let played = try played(generator) { _ in
      count += 1
      return count % 5 != 0
    }
    #expect(forest.count == 0)
    #expect(played.count > 300 && played.count { $0.request.classIndex == 1 } > 100)
  }

  // MARK: Shared prompts

  @Test func `system prompts come on top of the user's tokens and are shared`() throws {
    var item = plain("all", input: .fixed(30))
    item.systemPrompts = .init(count: 4, tokens: .uniform(100...200), popularity: .cycle)
    let generator = TrafficGenerator(traffic([item], arrivals: .poisson(rate: 3), requests: 100), seed: 1)
    let forest = try #require(generator.forest)
    let requests = try played(generator).map(\.request)
    #expect(Set(requests.map(\.prompt.stream)).count == 4)
    for (index, request) in requests.enumerated() {
      #expect(request.inputTokens == Int(request.prompt.tokens) + 30)
      #expect(request.prompt == requests[index % 4].prompt)
    }
    #expect(forest.count == 0)
  }

  @Test func `repeated questions come again as whole prompts`() throws {
    var item = plain("all")
    item.systemPrompts = .init(count: 9, tokens: .fixed(100), popularity: .cycle)
    item.questions = .init(count: 5, popularity: .cycle)
    let generator = TrafficGenerator(traffic([item], arrivals: .poisson(rate: 3), requests: 450), seed: 1)
    let forest = try #require(generator.forest)
    let requests = try played(generator) { _ in
      #expect(forest.count <= 54)
      return true
    }.map(\.request)
    #expect(requests.allSatisfy { Int($0.prompt.tokens) == $0.inputTokens })
    let prompts = Dictionary(grouping: requests, by: \.prompt.stream)
    #expect(prompts.count == 45)
    #expect(prompts.values.allSatisfy { $0.count == 10 && Set($0.map(\.inputTokens)).count == 1 })
    #expect(Set(requests.map(\.outputTokens)).count > 20)
    #expect(forest.count == 0)
  }

  // MARK: Other attributes

  @Test func `samples, adapters and patience are drawn without moving lengths or arrivals`() throws {
    var item = plain("all")
    let base = try all(TrafficGenerator(traffic([item], arrivals: .poisson(rate: 3)), seed: 1))
    item.samples = .fixed(4)
    item.adapters = .init(count: 10, popularity: .uniform, share: 0.5)
    item.patience = .exponential(mean: 20)
    let requests = try all(TrafficGenerator(traffic([item], arrivals: .poisson(rate: 3)), seed: 1))
    #expect(requests.map(\.arrival) == base.map(\.arrival) && requests.map(\.inputTokens) == base.map(\.inputTokens))
    #expect(requests.map(\.outputTokens) == base.map(\.outputTokens))
    #expect(requests.allSatisfy { $0.samples == 4 && $0.patience != nil && ($0.adapter ?? 0) < 10 })
    #expect(abs(requests.count { $0.adapter != nil } - 1000) < 100)
    let mean = requests.compactMap(\.patience).map { Double($0) / 1e9 }.reduce(0, +) / 2000
    #expect(abs(mean / 20 - 1) < 0.1)
  }

  @Test func `recorded lengths come in the pairs of the trace`() throws {
    var item = plain("all")
    item.lengths = .recorded(LengthPairs(pairs: [.init(input: 1, output: 2), .init(input: 30, output: 40)]))
    let requests = try all(TrafficGenerator(traffic([item], arrivals: .poisson(rate: 3)), seed: 1))
    #expect(requests.allSatisfy { [[1, 2], [30, 40]].contains([$0.inputTokens, $0.outputTokens]) })
    #expect(abs(requests.count { $0.inputTokens == 1 } - 1000) < 100)
  }

  @Test func `random compositions are reproducible, in order, and leave nothing behind`() throws {
    var stream = RandomStream(seed: 77, name: "compositions")
    func maybe() -> Bool { stream.uniform() < 0.5 }
    for round in 0..<60 {
      let loop = ArrivalProcess(
        gaps: .equal, pace: .closed(.init(users: 5, rampSeconds: 1, thinkTime: .exponential(mean: 2))))
      let classes = (0...stream.integer(below: 3)).map { index in
        var item = maybe() ? chat() : plain("", output: .fixed(3))
        item.about.name = "c\(index)"
        item.arrivals = maybe() ? .own(maybe() ? loop : .poisson(rate: 1 + 3 * stream.uniform())) : .share(1)
        if maybe() { item.systemPrompts = .init(count: 3, tokens: .uniform(1...9), popularity: .uniform) }
        if maybe(), item.sessions == nil { item.questions = .init(count: 4, popularity: .cycle) }
        if maybe() { item.samples = .uniform(1...3) }
        if maybe(), item.sessions != nil, case .own(let own) = item.arrivals, own.closedLoop == nil {
          item.sessions?.branches = .uniform(1...4)
        }
        return item
      }
      let traffic = traffic(
        classes, arrivals: classes.contains { $0.ownArrivals == nil } ? .poisson(rate: 2) : nil, requests: 300)
      let fails = stream.uniform() * 0.3
      func run() throws -> ([Request], PrefixForest?) {
        let generator = TrafficGenerator(traffic, seed: UInt64(round))
        var random = RandomStream(seed: 1, name: "failures")
        let requests = try played(generator) { _ in random.uniform() >= fails }.map(\.request)
        return (requests, generator.forest)
      }
      let (requests, forest) = try run()
      #expect(isSorted(requests) && requests.count <= 300 && !requests.isEmpty)
      #expect((forest?.count ?? 0) == 0)
      #expect(try run().0 == requests)
    }
  }
}
