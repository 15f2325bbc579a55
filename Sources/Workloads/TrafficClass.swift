/// One kind of request of generated traffic.
package struct TrafficClass: Sendable {
  package var about: RequestClass
  package var arrivals: Arrivals
  package var lengths: Lengths
  /// How long users wait before they give up; nothing for ever.
  package var patience: DurationDistribution?
  /// Answers per prompt; one when nothing.
  package var samples: LengthDistribution?
  package var adapters: AdapterChoice?
  package var systemPrompts: SystemPrompts?
  /// Questions that come again and again, for each system prompt.
  package var questions: RepeatedQuestions?
  package var sessions: SessionPattern?

  package init(about: RequestClass = .standard, arrivals: Arrivals = .share(1), lengths: Lengths) {
    self.about = about
    self.arrivals = arrivals
    self.lengths = lengths
  }

  package enum Arrivals: Sendable, Hashable {
    /// A share of the traffic's common arrivals, relative to other classes.
    case share(Double)
    case own(ArrivalProcess)

    mutating func scale(_ scaled: (ArrivalProcess) -> ArrivalProcess) {
      if case .own(let process) = self { self = .own(scaled(process)) }
    }
  }

  var ownArrivals: ArrivalProcess? { if case .own(let process) = arrivals { process } else { nil } }

  /// Where the token counts of a request come from: the user's own text, and the answer.
  package enum Lengths: Sendable {
    case drawn(DrawnLengths)
    /// Pairs of a recorded trace, drawn with replacement.
    case recorded(LengthPairs)
    /// Whole conversations of a file, drawn with replacement.
    case conversations(ConversationTable)
  }

  package struct DrawnLengths: Sendable, Hashable {
    package var input: LengthDistribution
    package var output: LengthDistribution
    /// Spearman's rank correlation between a request's input and output tokens; 0 draws them independently.
    package var rankCorrelation: Double

    package init(input: LengthDistribution, output: LengthDistribution, rankCorrelation: Double = 0) {
      self.input = input
      self.output = output
      self.rankCorrelation = rankCorrelation
    }
  }

  /// Which LoRA adapter a request, or a whole session, is for.
  package struct AdapterChoice: Sendable, Hashable {
    package var count: Int
    package var popularity: Popularity
    /// How many requests use one at all.
    package var share = 1.0
  }

  /// Texts that prompts begin with.
  package struct SystemPrompts: Sendable, Hashable {
    package var count: Int
    package var tokens: LengthDistribution
    package var popularity: Popularity

    package init(count: Int, tokens: LengthDistribution, popularity: Popularity) {
      self.count = count
      self.tokens = tokens
      self.popularity = popularity
    }
  }

  package struct RepeatedQuestions: Sendable, Hashable {
    package var count: Int
    package var popularity: Popularity

    package init(count: Int, popularity: Popularity) {
      self.count = count
      self.popularity = popularity
    }
  }

  /// Requests that follow each other, each with the whole conversation so far as its prompt.
  package struct SessionPattern: Sendable, Hashable {
    /// Requests of a session; nothing takes those of a recorded conversation.
    package var turns: LengthDistribution?
    /// From the end of an answer to the next request: a user who thinks, or a tool that runs.
    package var pause: DurationDistribution
    /// New tokens of the requests after the first, where they differ: what a tool returns.
    package var laterInput: LengthDistribution?
    /// How many such chains begin side by side, each with a task of its own; when all have ended, one more request
    /// reads their last answers. One chain and no such request when nothing. At most 1,000.
    package var branches: LengthDistribution?
    /// A session ends before a request that would pass so many tokens, answer included.
    package var context = Request.largestTokens
  }
}

extension Traffic {
  /// Traffic of one class.
  package init(
    name: String, title: String = "", aliases: [String] = [], arrivals: ArrivalProcess, class only: TrafficClass,
    requests: Int, notes: String? = nil, citations: [String: String] = [:]
  ) {
    self.init(
      name: name, title: title, aliases: aliases, arrivals: arrivals, classes: [only], requests: requests,
      notes: notes, citations: citations)
  }
}
