import Documents
import Quantities

/// The calibrated constants of the operator and step models: what share of each peak is reached, and what each start
/// costs. Every one comes from a calibration file; there are no built-in values.
package struct Constants: Sendable, Equatable {
  /// By position of the key; not a number where no file gave one.
  private var values = [Double](repeating: .nan, count: ConstantKey.allCases.count)
  /// Times of an engine's own kernels, where they were measured.
  package var kernels: KernelTable?

  package init() {}

  /// The other's constants win.
  package mutating func override(with other: Constants) {
    for index in values.indices where !other.values[index].isNaN { values[index] = other.values[index] }
    kernels = other.kernels ?? kernels
  }

  /// Constants that no file gave.
  package var missing: [ConstantKey] { ConstantKey.allCases.filter { values[$0.rawValue].isNaN } }

  package subscript(key: ConstantKey) -> Double {
    get { values[key.rawValue] }
    set { values[key.rawValue] = newValue }
  }

  /// A share of a peak.
  package func share(_ key: ConstantKey) -> Double { self[key] }

  package func time(_ key: ConstantKey) -> Seconds { Seconds(self[key]) }
}

/// The calibrated constants.
package enum ConstantKey: Int, CaseIterable, Sendable {
  /// Shares of peak compute and of main-memory bandwidth that a large GEMM reaches, and its start.
  case gemmCompute
  case gemmMemory
  case gemmStart
  /// Time to fill a unit's pipeline before a tile, and least time of one inner element of a tile.
  case gemmFill
  case gemmStep
  /// FLOPs of 16-bit peak that a unit forgoes for each byte it loads from the cache all units share; how many times
  /// over a byte it stores counts.
  case gemmLoad
  case gemmStore
  /// How many times over a byte written to main memory counts.
  case gemmWrite
  /// Share of a begun wave of tiles that takes the time of a full one; the rest is balanced between units.
  case gemmWave
  /// What adding up the parts of a split inner dimension costs.
  case gemmSplitStart
  /// Share of compute the grouped GEMMs of experts reach, relative to a plain GEMM, and their own start, filling and
  /// loading.
  case expertCompute
  case expertStart
  case expertFill
  case expertLoad
  case decodeAttentionCompute
  case decodeAttentionMemory
  case decodeAttentionStart
  /// Time of one (sequence, KV head) pair on one parallel unit, whatever its context.
  case decodeAttentionTile
  /// Share of the cache's reading time that each further query head of a group adds, where a kernel works head by head
  /// and finds in a cache what the first one read.
  case decodeAttentionGroup
  /// Time to split one long context and join the parts, and the context in tokens at which half of it is due.
  case decodeAttentionJoin
  case decodeAttentionJoinContext
  /// Time to gather the queries that share a KV head, where a kernel does so in a pass of its own.
  case decodeAttentionRegroup
  case prefillAttentionCompute
  case prefillAttentionMemory
  case prefillAttentionStart
  /// Time of a query tile on one unit, whatever its keys.
  case prefillAttentionTile
  /// How many times over a byte added to the cache counts.
  case prefillAttentionWrite
  /// Head width at which the rate is half of what wide heads approach.
  case prefillAttentionHead
  case elementwiseMemory
  case elementwiseStart
  /// Share of vector or matrix peak a recurrent scan reaches.
  case scanCompute
  /// Share of the link's bandwidth that all-reduces of short messages reach, which read from every peer at once; how
  /// much more of it their two-shot form does; starts of the one- and two-shot forms; one more rank in either.
  case collectiveLink
  case collectiveTwoShotLink
  case collectiveOneShotStart
  case collectiveOneShotHop
  case collectiveTwoShotStart
  case collectiveHop
  /// Longest message, in bytes, of those; the start, the cost of one more rank and the share of the link of rings, which
  /// all longer messages and all other collectives take.
  case collectiveDirectLimit
  case collectiveRingStart
  case collectiveRingHop
  case collectiveRingLink
  /// Start and share of the link of exchanges between experts' devices.
  case exchangeStart
  case exchangeLink
  /// Host time of one kernel launch where the runtime does not replay a captured graph.
  case launch
  /// Host time a step costs whatever it does, and for each sequence in it.
  case stepOverhead
  case stepPerSequence
  /// What a step costs the host besides when it takes in prompts.
  case stepWithPrompts
  /// Time a served request spends between its client and the engine, both ways together: connection, tokeniser, and the
  /// way of the first token back.
  case requestOverhead
  /// The part of it that each token of the prompt adds: reading, tokenising and hashing it.
  case requestPerToken
  /// Board power while busy, as shares of the cap: always, at full compute rate, at full memory rate.
  case powerStatic
  case powerCompute
  case powerMemory
  /// What vector units draw besides while decode attention runs.
  case powerAttention

  /// The name in files: the case's name in snake case.
  package var name: String {
    "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  /// What kind of number it is, and so how files give it and what values it takes.
  package enum Kind: Sendable {
    /// A time; may be zero.
    case time
    /// A share of a rate: it divides, so zero is not a value.
    case rate
    /// A plain number that multiplies or bounds something.
    case number
  }

  /// Whether a file gives it as a time.
  package var isTime: Bool { kind == .time }

  package var kind: Kind {
    switch self {
    case .gemmStart, .gemmFill, .gemmStep, .gemmSplitStart, .expertStart, .expertFill, .decodeAttentionStart,
      .decodeAttentionTile, .decodeAttentionJoin, .decodeAttentionRegroup, .prefillAttentionStart,
      .prefillAttentionTile, .elementwiseStart, .collectiveOneShotStart, .collectiveOneShotHop, .collectiveTwoShotStart,
      .collectiveHop, .collectiveRingStart, .collectiveRingHop, .exchangeStart, .launch, .stepOverhead,
      .stepPerSequence,
      .stepWithPrompts, .requestOverhead, .requestPerToken:
      .time
    case .gemmCompute, .gemmMemory, .expertCompute, .decodeAttentionCompute, .decodeAttentionMemory,
      .prefillAttentionCompute, .prefillAttentionMemory, .elementwiseMemory, .scanCompute, .collectiveLink,
      .collectiveRingLink, .exchangeLink:
      .rate
    case .collectiveTwoShotLink, .gemmLoad, .gemmStore, .gemmWrite, .gemmWave, .expertLoad, .decodeAttentionGroup,
      .decodeAttentionJoinContext,
      .prefillAttentionWrite, .prefillAttentionHead, .collectiveDirectLimit, .powerStatic, .powerCompute,
      .powerMemory, .powerAttention:
      .number
    }
  }

  /// Values a file may give a plain number or a share; times may be any that are not negative.
  package var range: ClosedRange<Double> {
    switch self {
    case .gemmWave: 0...1
    case .collectiveTwoShotLink: 0.1...10
    case .collectiveDirectLimit: 0...1e12
    default: kind == .rate ? 0.001...2 : 0...10_000
    }
  }
}
