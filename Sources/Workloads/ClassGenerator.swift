import EventKernel

/// Makes up the requests of one class; when they come is not its business.
struct ClassGenerator {
  private let index: UInt16
  private let lengths: LengthSource
  private var inputs: RandomStream
  private var outputs: RandomStream
  /// Whether requests have nothing but a length.
  let isPlain: Bool
  private let patience: DurationDistribution?
  private var patienceStream: RandomStream
  private let samples: LengthDistribution?
  private var sampleStream: RandomStream
  private let adapters: TrafficClass.AdapterChoice?
  private var adapterChooser: Chooser
  private var adapterStream: RandomStream
  private var prompts: PromptBook?
  private var sessions: SessionBook?

  /// - Parameter name: What its random streams begin with.
  init(_ description: TrafficClass, index: Int, forest: PrefixForest, seed: UInt64, name: String) {
    func stream(_ consumer: String) -> RandomStream { RandomStream(seed: seed, name: name + consumer) }
    self.index = UInt16(index)
    lengths = LengthSource(description.lengths)
    inputs = stream("input-tokens")
    outputs = stream("output-tokens")
    patience = description.patience
    patienceStream = stream("patience")
    samples = description.samples
    sampleStream = stream("samples")
    adapters = description.adapters
    adapterChooser = Chooser(description.adapters?.popularity ?? .cycle, count: description.adapters?.count ?? 1)
    adapterStream = stream("adapters")
    prompts = PromptBook(description, forest: forest, seed: seed, name: name)
    sessions = SessionBook(description, forest: forest, seed: seed, name: name)
    isPlain = patience == nil && samples == nil && adapters == nil && prompts == nil && sessions == nil
  }

  /// What a request, or a session, begins with.
  struct Beginning {
    var arrival: Instant
    /// The number of the session, if it is one.
    var session: Int32
    var mostTurns: Int
  }

  /// A request that stands alone, or a session's first ones.
  mutating func begin(_ beginning: Beginning) -> SessionBook.Begun {
    guard sessions == nil else { return beginSession(beginning) }
    var request = plain(at: beginning.arrival)
    if let prompt = prompts?.prompt(own: request.inputTokens) {
      request.inputTokens = prompt.tokens
      request.prompt = prompt.identity
    }
    if let samples { request.samples = UInt16(clamping: samples.draw(&sampleStream)) }
    request.adapter = adapter()
    request.patience = patience?.draw(&patienceStream)
    return SessionBook.Begun(first: request, turns: 1, numbers: 0)
  }

  /// A request with nothing but a length.
  mutating func plain(at arrival: Instant) -> Request {
    let (input, output) = lengths.draw(inputs: &inputs, outputs: &outputs)
    var request = Request(arrival: arrival, inputTokens: input, outputTokens: output)
    request.classIndex = index
    return request
  }

  private mutating func beginSession(_ beginning: Beginning) -> SessionBook.Begun {
    let new = SessionBook.Beginning(
      id: beginning.session, arrival: beginning.arrival, systemPrompt: prompts?.systemPrompt(), adapter: adapter(),
      mostTurns: beginning.mostTurns)
    guard var begun = sessions?.begin(new) else {
      return SessionBook.Begun(first: plain(at: beginning.arrival), turns: 1, numbers: 0)
    }
    begun.first.classIndex = index
    for other in begun.others.indices { begun.others[other].classIndex = index }
    return begun
  }

  private mutating func adapter() -> UInt16? {
    guard let adapters else { return nil }
    let isUsed = adapters.share == 1 || adapterStream.uniform() < adapters.share
    return isUsed ? UInt16(adapterChooser.next(&adapterStream)) : nil
  }

  /// A session's request after one that ended.
  mutating func next(after request: Request, endedAt: Instant, completed: Bool) -> Request? {
    guard var next = sessions?.next(after: request, endedAt: endedAt, completed: completed) else { return nil }
    next.classIndex = index
    return next
  }

  /// Gives up the common texts, when no request will come any more.
  mutating func release() { prompts?.release() }
}
