import Documents
import Quantities

extension TrafficFileReader {
  /// The most classes of one source: each has tables of its own in reports.
  static let mostClasses = 1000

  /// The classes of a file: those listed, or the one that the file itself describes.
  func classes(of file: ObjectReader) throws -> [TrafficClass] {
    try sources.cover(file, ["timeout"])
    let defaults = RequestClass(name: "all", objective: try objective(file), timeout: try timeout(file))
    guard let list = file.optional("classes") else { return [try body(file, about: defaults)] }
    let nodes = try list.array()
    guard (1...Self.mostClasses).contains(nodes.count) else {
      throw list.error("has \(nodes.count) classes, expected 1 to \(Self.mostClasses)")
    }
    var classes: [TrafficClass] = []
    for node in nodes {
      let new = try node.strictObject { try self.item($0, defaults: defaults) }
      try check(new.about, beside: classes.map(\.about), node)
      classes.append(new)
    }
    return classes
  }

  private func check(_ new: RequestClass, beside others: [RequestClass], _ node: Node) throws {
    if others.contains(where: { $0.name == new.name }) {
      throw node.error("the name '\(new.name)' appears twice among the classes")
    }
    if let other = others.first(where: { $0.tenant == new.tenant && $0.weight != new.weight }) {
      throw node.error("tenant '\(new.tenant)' has weight \(new.weight) here and \(other.weight) in '\(other.name)'")
    }
  }

  private func item(_ block: ObjectReader, defaults: RequestClass) throws -> TrafficClass {
    try sources.cover(block, ["weight", "priority", "timeout", "share"])
    let own = try objective(block)
    let about = RequestClass(
      name: try block.string("name"), tenant: try block.optionalString("tenant"),
      weight: try block.optionalDouble("weight", in: 1e-6...1e6) ?? 1,
      priority: try block.optionalInt("priority", in: -1_000_000...1_000_000) ?? 0,
      objective: own.isEmpty ? defaults.objective : own, timeout: try timeout(block) ?? defaults.timeout)
    var item = try body(block, about: about)
    item.arrivals = try classArrivals(block)
    return item
  }

  private func classArrivals(_ block: ObjectReader) throws -> TrafficClass.Arrivals {
    let share = try block.optionalDouble("share", in: 1e-9...1e9)
    let own = try block.optional("arrivals").map(arrivals)
    switch (share, own) {
    case (let share?, nil): return .share(share)
    case (nil, let own?): return .own(own)
    case (nil, nil): throw block.node.error("'share' or 'arrivals' is missing")
    case (_?, _?): throw block.node.error("has both 'share' and 'arrivals', expected one of them")
    }
  }

  private func objective(_ block: ObjectReader) throws -> ServiceObjective {
    guard let node = block.optional("objectives") else { return ServiceObjective() }
    return try node.strictObject { block in
      try sources.cover(block, ["ttft", "tpot", "e2e"])
      return ServiceObjective(
        timeToFirstToken: try block.optionalQuantity("ttft", TimeDimension.self),
        timePerOutputToken: try block.optionalQuantity("tpot", TimeDimension.self),
        endToEnd: try block.optionalQuantity("e2e", TimeDimension.self))
    }
  }

  private func timeout(_ block: ObjectReader) throws -> Seconds? {
    guard let node = block.optional("timeout") else { return nil }
    _ = try time(node)
    return try node.quantity(TimeDimension.self)
  }

  // MARK: What requests are like

  /// The part that a class and a file without classes have in common.
  private func body(_ block: ObjectReader, about: RequestClass) throws -> TrafficClass {
    var item = TrafficClass(about: about, lengths: try classLengths(block))
    item.patience = try block.optional("patience").map(durations)
    item.samples = try block.optional("samples").map { try lengths($0, single: "count") }
    item.adapters = try block.optional("adapters").map(adapters)
    item.systemPrompts = try block.optional("system_prompts").map(systemPrompts)
    item.questions = try block.optional("repeat").map(questions)
    item.sessions = try sessionPattern(block, item.lengths)
    if item.sessions != nil, item.questions != nil {
      throw try block.required("repeat").error("does not go with sessions, whose prompts grow")
    }
    let places = (item.systemPrompts?.count ?? 1) * (item.questions?.count ?? 1)
    guard places <= 10_000_000 else {
      throw try block.required("repeat").error("makes \(places) questions, expected at most 10000000")
    }
    return item
  }

  private func classLengths(_ block: ObjectReader) throws -> TrafficClass.Lengths {
    if let node = block.optional("lengths") {
      return .recorded(try LengthPairs.read(path: recordedFile(node, "trace")))
    }
    if let node = block.optional("conversations") {
      return .conversations(try ShareGPTReader.read(path: recordedFile(node, "file")))
    }
    let input = try lengths(block.required("input_tokens"))
    let output = try lengths(block.required("output_tokens"))
    let correlation = try block.optional("dependence").map(rankCorrelation) ?? 0
    if correlation != 0, !input.hasPlaces || !output.hasPlaces {
      throw try block.required("dependence").error("does not go with a mixture, which has no quantiles")
    }
    return .drawn(TrafficClass.DrawnLengths(input: input, output: output, rankCorrelation: correlation))
  }

  /// The path of a recording, which needs a source as its numbers do.
  private func recordedFile(_ node: Node, _ key: String) throws -> String {
    try node.strictObject { block in
      try sources.cover(block, [key])
      return try path(block.required(key))
    }
  }

  private func rankCorrelation(_ node: Node) throws -> Double {
    try node.strictObject { block in
      try sources.cover(block, ["rank_correlation"])
      return try block.double("rank_correlation", in: -1...1)
    }
  }

  private func adapters(_ node: Node) throws -> TrafficClass.AdapterChoice {
    try node.strictObject { block in
      try sources.cover(block, ["count", "exponent", "share"])
      let count = try block.int("count", in: 1...Int(UInt16.max))
      return TrafficClass.AdapterChoice(
        count: count, popularity: try popularity(block, count: count),
        share: try block.optionalDouble("share", in: 0...1) ?? 1)
    }
  }

  private func systemPrompts(_ node: Node) throws -> TrafficClass.SystemPrompts {
    try node.strictObject { block in
      try sources.cover(block, ["count", "exponent"])
      let count = try block.int("count", in: 1...ZipfTable.largestCount)
      return TrafficClass.SystemPrompts(
        count: count, tokens: try lengths(block.required("tokens")), popularity: try popularity(block, count: count))
    }
  }

  private func questions(_ node: Node) throws -> TrafficClass.RepeatedQuestions {
    try node.strictObject { block in
      try sources.cover(block, ["questions", "exponent"])
      let count = try block.int("questions", in: 1...ZipfTable.largestCount)
      return TrafficClass.RepeatedQuestions(count: count, popularity: try popularity(block, count: count))
    }
  }

  private enum PopularityName: String, CaseIterable { case uniform, zipf, cycle }

  private func popularity(_ block: ObjectReader, count: Int) throws -> Popularity {
    switch try block.optionalChoice("popularity", PopularityName.self) ?? .uniform {
    case .uniform: .uniform
    case .cycle: .cycle
    case .zipf: .zipf(ZipfTable(range: 1...count, exponent: try exponent(block)))
    }
  }

  // MARK: Sessions

  private func sessionPattern(_ block: ObjectReader, _ lengths: TrafficClass.Lengths) throws
    -> TrafficClass.SessionPattern?
  {
    var isRecorded = false
    if case .conversations = lengths { isRecorded = true }
    switch (block.optional("sessions"), block.optional("agents")) {
    case (nil, nil): return nil
    case (let node?, nil): return try node.strictObject { try chat($0, isRecorded: isRecorded) }
    case (nil, let node?):
      guard !isRecorded else { throw node.error("does not go with 'conversations', which are chats") }
      return try node.strictObject(agent)
    case (_?, _?): throw block.node.error("has both 'sessions' and 'agents', expected one of them")
    }
  }

  private func chat(_ block: ObjectReader, isRecorded: Bool) throws -> TrafficClass.SessionPattern {
    let turns = isRecorded ? block.optional("turns") : try block.required("turns")
    return TrafficClass.SessionPattern(
      turns: try turns.map { try self.lengths($0, single: "count") },
      pause: try durations(block.required("think_time")),
      laterInput: isRecorded ? nil : try block.optional("later_input_tokens").map { try self.lengths($0) },
      context: try context(block))
  }

  private func agent(_ block: ObjectReader) throws -> TrafficClass.SessionPattern {
    TrafficClass.SessionPattern(
      turns: try lengths(block.required("steps"), single: "count"), pause: try durations(block.required("tool_time")),
      laterInput: try lengths(block.required("tool_tokens")),
      branches: try block.optional("branches").map { try lengths($0, single: "count") }, context: try context(block))
  }

  private func context(_ block: ObjectReader) throws -> Int {
    try sources.cover(block, ["context"])
    return try block.optionalInt("context", in: 1...Request.largestTokens) ?? Request.largestTokens
  }
}
