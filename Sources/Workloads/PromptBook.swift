import EventKernel

/// The texts that a class's prompts have in common: system prompts, and questions that come again.
struct PromptBook {
  /// A text's stream and its length.
  struct Text {
    var stream: Int32
    var tokens: Int
  }

  private let forest: PrefixForest
  private var prompts: [Text]
  private var promptChooser: Chooser
  private var promptStream: RandomStream
  private let questionCount: Int
  private var questionChoosers: [Chooser] = []
  private var questionStream: RandomStream
  /// For every system prompt its questions, empty until one is first asked.
  private var questions: [Text?] = []

  /// - Parameter name: What the class's random streams begin with.
  init?(_ description: TrafficClass, forest: PrefixForest, seed: UInt64, name: String) {
    guard description.systemPrompts != nil || description.questions != nil else { return nil }
    self.forest = forest
    promptStream = RandomStream(seed: seed, name: name + "system-prompts")
    questionStream = RandomStream(seed: seed, name: name + "questions")
    var lengthStream = RandomStream(seed: seed, name: name + "system-prompt-tokens")
    prompts = []
    let system = description.systemPrompts
    promptChooser = Chooser(system?.popularity ?? .cycle, count: system?.count ?? 1)
    for _ in 0..<(system?.count ?? 0) {
      prompts.append(Text(stream: forest.add(), tokens: system?.tokens.draw(&lengthStream) ?? 0))
    }
    questionCount = description.questions?.count ?? 0
    if let repeated = description.questions {
      let places = max(1, prompts.count)
      questionChoosers = Array(repeating: Chooser(repeated.popularity, count: repeated.count), count: places)
      questions = Array(repeating: nil, count: places * repeated.count)
    }
  }

  /// Chooses the system prompt of a session; nothing when there are none.
  mutating func systemPrompt() -> Text? {
    prompts.isEmpty ? nil : prompts[promptChooser.next(&promptStream)]
  }

  /// Chooses what a request that stands alone begins with.
  /// - Parameter own: Tokens of the user's text, if it was not asked before.
  /// - Returns: The prompt's tokens, and how it stands to others.
  mutating func prompt(own: Int) -> (tokens: Int, identity: PromptIdentity) {
    let place = prompts.isEmpty ? 0 : promptChooser.next(&promptStream)
    let system = prompts.isEmpty ? nil : prompts[place]
    guard questionCount > 0 else {
      let shared = system ?? Text(stream: -1, tokens: 0)
      return (shared.tokens + own, PromptIdentity(stream: shared.stream, tokens: Int32(shared.tokens)))
    }
    let question = question(at: place, system, own: own)
    return (question.tokens, PromptIdentity(stream: question.stream, tokens: Int32(question.tokens)))
  }

  /// A question with its system prompt, which keeps the length it was first asked with.
  private mutating func question(at place: Int, _ system: Text?, own: Int) -> Text {
    let index = place * questionCount + questionChoosers[place].next(&questionStream)
    if let known = questions[index] { return known }
    let new = Text(
      stream: forest.add(parent: system?.stream, fork: system?.tokens ?? 0), tokens: (system?.tokens ?? 0) + own)
    questions[index] = new
    return new
  }

  /// Gives up all streams, when no request will come any more.
  mutating func release() {
    for text in prompts { forest.release(text.stream) }
    for text in questions { if let text { forest.release(text.stream) } }
    (prompts, questions, questionChoosers) = ([], [], [])
  }
}
