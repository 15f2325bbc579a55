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

  /// Begins a session.
  /// - Returns: Its first request, and how many there will be if all goes well.
  mutating func begin(_ beginning: Beginning) -> (request: Request, turns: Int) {
    var random = RandomStream(seed: seed, name: name, index: Int(beginning.id))
    let conversation = conversations.map { random.integer(below: $0.count) } ?? -1
    let drawn = pattern.turns?.draw(&random)
    let recorded = conversations?[conversation].count
    let system = beginning.systemPrompt
    var session = Session(
      random: random, stream: forest.add(parent: system?.stream, fork: system?.tokens ?? 0),
      history: system?.tokens ?? 0, turn: 0,
      turns: min(beginning.mostTurns, drawn ?? recorded ?? 1, recorded ?? .max), adapter: beginning.adapter,
      conversation: conversation)
    let first = turn(&session, id: beginning.id, at: beginning.arrival)
    live[beginning.id] = session
    return (first, session.turns)
  }

  /// The request after one that ended; nothing when the session is over, which gives up its text.
  mutating func next(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard var session = live[request.session] else { return nil }
    if completed, session.turn < session.turns, let arrival = endedAt.adding(pattern.pause.draw(&session.random)) {
      let next = turn(&session, id: request.session, at: arrival)
      if next.inputTokens + next.outputTokens <= pattern.context {
        live[request.session] = session
        return next
      }
    }
    forest.release(session.stream)
    live[request.session] = nil
    return nil
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
