import EventKernel

/// The live sessions of a class, each with a random stream of its own, so that the order in which their requests end
/// changes none of them.
struct SessionBook {
  private struct Session {
    var random: RandomStream
    /// Its text in the forest.
    var stream: Int32
    /// Prompt and answer of the latest request.
    var history: Int
    var turn: Int
    var turns: Int
    var adapter: UInt16?
    /// Its place in the recorded conversations, where it follows one.
    var conversation: Int
    /// The branches it is one of; -1 for none.
    var branches: Int32 = -1
    /// Tokens of the latest answer.
    var answer = 0
  }

  /// Chains that run side by side.
  private struct Branches {
    var random: RandomStream
    var beginning: Beginning
    var left: Int
    /// Tokens of their last answers.
    var answers = 0
  }

  private let pattern: TrafficClass.SessionPattern
  private let lengths: LengthSource
  private let conversations: ConversationTable?
  private let samples: LengthDistribution?
  private let patience: DurationDistribution?
  private let forest: PrefixForest
  private let seed: UInt64
  private let name: String
  private var live: [Int32: Session] = [:]
  private var branches: [Int32: Branches] = [:]
  private static let mostBranches = 1000

  init?(_ description: TrafficClass, forest: PrefixForest, seed: UInt64, name: String) {
    guard let pattern = description.sessions else { return nil }
    self.pattern = pattern
    self.forest = forest
    self.seed = seed
    self.name = name + "sessions"
    lengths = LengthSource(description.lengths)
    samples = description.samples
    patience = description.patience
    if case .conversations(let table) = description.lengths { conversations = table } else { conversations = nil }
  }

  /// What a new session begins with.
  struct Beginning {
    var id: Int32
    var arrival: Instant
    var systemPrompt: PromptBook.Text?
    var adapter: UInt16?
    /// It is cut to so many turns.
    var mostTurns: Int
  }

  /// What began: more than one request where chains run side by side.
  struct Begun {
    var first: Request
    var others: [Request] = []
    /// Requests there will be if all goes well.
    var turns: Int
    /// Session numbers used.
    var numbers: Int32 = 1
  }

  /// Begins a session.
  mutating func begin(_ beginning: Beginning) -> Begun {
    guard let count = pattern.branches, beginning.mostTurns > 1 else { return chain(beginning, branches: -1) }
    var random = RandomStream(seed: seed, name: name, index: Int(beginning.id))
    let wanted = min(count.draw(&random), Self.mostBranches)
    var chains: [Request] = []
    var turns = 0
    // The request that reads the answers is one of those asked for.
    while chains.count < wanted, turns < beginning.mostTurns - 1 {
      var branch = beginning
      branch.id += Int32(chains.count) + 1
      branch.mostTurns -= 1 + turns
      let begun = chain(branch, branches: beginning.id)
      chains.append(begun.first)
      turns += begun.turns
    }
    branches[beginning.id] = Branches(random: random, beginning: beginning, left: chains.count)
    return Begun(
      first: chains[0], others: Array(chains.dropFirst()), turns: turns + 1, numbers: Int32(chains.count) + 1)
  }

  /// Begins one chain of requests.
  private mutating func chain(_ beginning: Beginning, branches: Int32) -> Begun {
    var random = RandomStream(seed: seed, name: name, index: Int(beginning.id))
    let conversation = conversations.map { random.integer(below: $0.count) } ?? -1
    let drawn = pattern.turns?.draw(&random)
    let recorded = conversations?[conversation].count
    var session = session(beginning, random)
    session.turns = min(beginning.mostTurns, drawn ?? recorded ?? 1, recorded ?? .max)
    session.conversation = conversation
    session.branches = branches
    let first = turn(&session, id: beginning.id, at: beginning.arrival)
    live[beginning.id] = session
    return Begun(first: first, turns: session.turns)
  }

  /// A session of one turn, which has a text in the forest.
  private func session(_ beginning: Beginning, _ random: RandomStream) -> Session {
    let system = beginning.systemPrompt
    return Session(
      random: random, stream: forest.add(parent: system?.stream, fork: system?.tokens ?? 0),
      history: system?.tokens ?? 0, turn: 0, turns: 1, adapter: beginning.adapter, conversation: -1)
  }

  /// The request after one that ended; nothing when the session is over, which gives up its text.
  mutating func next(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard var session = live[request.session] else { return nil }
    if completed, session.turn < session.turns, let arrival = endedAt.adding(pattern.pause.draw(&session.random)) {
      let answer = session.answer
      let next = turn(&session, id: request.session, at: arrival)
      if next.inputTokens + next.outputTokens <= pattern.context {
        live[request.session] = session
        return next
      }
      session.answer = answer
    }
    forest.release(session.stream)
    live[request.session] = nil
    return endBranch(of: session.branches, answer: completed ? session.answer : 0, at: endedAt)
  }

  /// Ends one of the chains that run side by side.
  /// - Returns: The request that reads their answers, after the last one, unless all failed.
  private mutating func endBranch(of id: Int32, answer: Int, at end: Instant) -> Request? {
    guard var ended = branches[id] else { return nil }
    ended.left -= 1
    ended.answers += answer
    branches[id] = ended.left > 0 ? ended : nil
    guard ended.left == 0, ended.answers > 0, let arrival = end.adding(pattern.pause.draw(&ended.random)) else {
      return nil
    }
    var session = session(ended.beginning, ended.random)
    session.history += ended.answers
    let request = turn(&session, id: id, at: arrival)
    guard request.inputTokens + request.outputTokens <= pattern.context else {
      forest.release(session.stream)
      return nil
    }
    live[id] = session
    return request
  }

  private func turn(_ session: inout Session, id: Int32, at arrival: Instant) -> Request {
    let (own, output) = newTokens(&session)
    let input = session.history + own
    var request = Request(arrival: arrival, inputTokens: input, outputTokens: output)
    request.prompt = PromptIdentity(stream: session.stream, tokens: Int32(input), answerContinues: true)
    request.session = id
    request.adapter = session.adapter
    if let samples { request.samples = UInt16(clamping: samples.draw(&session.random)) }
    request.patience = patience?.draw(&session.random)
    session.turn += 1
    session.history = input + output
    session.answer = output
    return request
  }

  private func newTokens(_ session: inout Session) -> (own: Int, output: Int) {
    if let conversations {
      let turns = conversations[session.conversation]
      let pair = turns[turns.startIndex + session.turn]
      return (Int(pair.input), Int(pair.output))
    }
    let (input, output) = lengths.draw(&session.random)
    guard session.turn > 0, let later = pattern.laterInput else { return (input, output) }
    return (later.draw(&session.random), output)
  }
}
