import Documents
import Quantities
import Reporting

/// What became of published claims: totals, a table by paper, a drawing, and a paragraph for every miss.
package struct ClaimReport: Sendable {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  private let claims: [ScoredClaim]

  package init(_ claims: [ScoredClaim]) { self.claims = claims }

  // MARK: Tables

  /// One row a figure, for machines; a row without numbers for a claim that cannot be predicted.
  package var rows: ResultTable {
    var table = ResultTable(columns: [
      Column("claim"), Column("system"), Column("figure"), Column("metric"), Column("kind"), Column("conditions"),
      Column("assumed"), Column("open"),
      Column("predicted"), Column("published"), Column("ratio"), Column("verdict"), Column("reason"),
    ])
    for scored in claims {
      let claim = scored.claim
      let head = [Cell.text(claim.id), .text(claim.system)]
      for item in scored.figures {
        table.append(
          head + [
            .text(item.figure.label), .text(item.figure.metric.rawValue), .text(item.figure.form.rawValue),
            .text(claim.conditions.rawValue), .text(scored.assumptions.isEmpty ? "no" : "yes"),
            .text(scored.open.map(\.rawValue).joined(separator: " ")), Cell(item.predicted),
            Cell(item.figure.published.middle),
            Cell(item.ratio), .text(item.verdict.rawValue), Cell(item.reason),
          ])
      }
      if let reason = claim.unpredicted {
        table.append(
          head + [
            .text(""), .missing, .missing, .text(claim.conditions.rawValue), .missing, .missing, .missing, .missing,
            .missing,
            .text("not predicted"), .text(reason),
          ])
      }
    }
    return table
  }

  /// The same for people, values in their own units.
  package func readable(_ some: [ScoredClaim]) -> ResultTable {
    var table = ResultTable(columns: [
      Column("claim"), Column("figure"), Column("predicted"), Column("published"), Column("ratio"), Column("verdict"),
    ])
    for scored in some {
      for item in scored.figures {
        let figure = item.figure
        let title = figure.label.isEmpty ? Self.title(figure) : "\(figure.label): \(Self.title(figure))"
        table.append([
          .text(scored.claim.id), .text(title), .text(item.predicted.map { Self.text($0, figure) } ?? "cannot run"),
          .text(Self.text(figure.published, figure)),
          .text(item.ratio.map { roundedText($0, significantDigits: 3) } ?? "-"), .text(item.verdict.rawValue),
        ])
      }
    }
    return table
  }

  private static func title(_ figure: Figure) -> String {
    let metric = figure.metric.rawValue.split(separator: "_").joined(separator: " ")
    return switch figure.form {
    case .value: metric
    case .ratio: "\(metric) over the baseline's"
    case .speedup: "baseline's \(metric) over it"
    case .saving: "\(metric) saved"
    case .gain: "\(metric) gained"
    case .difference: "\(metric) beyond the baseline's"
    }
  }

  static func text(_ value: Double, _ figure: Figure) -> String {
    switch figure.form {
    case .value, .difference: Cell.number(value).text(style: figure.metric.style)
    case .ratio, .speedup: roundedText(value, significantDigits: 3) + " x"
    case .saving, .gain: fixedText(100 * value, decimals: 1) + " %"
    }
  }

  static func text(_ published: Published, _ figure: Figure) -> String {
    let low = text(published.low, figure)
    if published.isLeast { return "over " + low }
    return published.low == published.high ? low : "\(low) to \(text(published.high, figure))"
  }

  package var totals: ResultTable {
    var table = ResultTable(columns: [
      Column("figures"), Column("count"), Column("within 10 %", style: .percent),
      Column("within 15 %", style: .percent), Column("within 25 %", style: .percent),
      Column("within 30 %", style: .percent), Column("within 50 %", style: .percent),
      Column("right direction", style: .percent),
    ])
    for total in ClaimTotals.all(of: claims) where total.count > 0 {
      func share(_ count: Int?) -> Cell { Cell(count.map { Double($0) / Double(total.count) }) }
      table.append([
        .text(total.title), .int(total.count), share(total.within10), share(total.within15), share(total.within25),
        share(total.within30), share(total.within50), share(total.rightDirection),
      ])
    }
    return table
  }

  /// How many claims there are, and how many of them have predictions.
  package var counts: String {
    let predicted = claims.filter { !$0.figures.isEmpty }
    return "\(claims.count) claims of \(Set(claims.map(\.file.name)).count) files; \(predicted.count) predicted "
      + "(\(predicted.reduce(0) { $0 + $1.figures.count }) figures), \(claims.count - predicted.count) not, each with a "
      + "reason"
  }

  // MARK: Report

  /// Writes the report's files and returns their paths.
  package func write(to folder: String) throws -> [String] {
    let files = [("README.md", page), ("absolute.svg", plot(isRatio: false)), ("ratios.svg", plot(isRatio: true))]
    return try files.map { name, text in
      let path = folder + "/" + name
      let file = try OutputFile(path: path)
      try file.write(text)
      try file.finish()
      return path
    }
  }

  private var page: String {
    var text = """
      # Published claims

      Written by `ridgeline claims`. \(counts). Every claim has its conditions as published and its baseline as a full
      plan in `Workloads/Scenarios/Claims`; what sources leave open is listed there, and below, as an assumption. A ratio
      is predicted over published; a miss is beyond 25 %. `ridgeline claims --claim ID --explain` shows both plans.

      Six conditions decide a figure: the device, the model, the batch or load, the lengths, the engine and the
      technique's settings. Where a scenario had to assume one of them, hit or miss, its claim counts as published in part,
      as does one that the table of claims calls so; an assumption below that begins with a condition's name is of this
      kind. A length decides unless what is open is less than a tenth of all tokens. Where anything else had to be assumed,
      however little it decides, figures count as assumed.

      ## Totals


      """
    text += MarkdownRenderer.rows(totals) + "\n"
    text += "![Absolute figures, predicted over published](absolute.svg)\n\n"
    text += "![Ratios, predicted over published](ratios.svg)\n\n## By paper\n"
    for group in grouped where group.contains(where: { !$0.figures.isEmpty }) { text += section(group) }
    text += "\n## Misses\n"
    for scored in claims where scored.verdict?.isMiss == true { text += missed(scored) }
    text += "\n## Not predicted\n\n"
    for scored in claims {
      guard let reason = scored.claim.unpredicted else { continue }
      text += "- **\(scored.claim.id)** (\(scored.claim.system)): \(reason)\n"
    }
    return text
  }

  /// Claims by file, in order.
  private var grouped: [[ScoredClaim]] {
    claims.reduce(into: [[ScoredClaim]]()) { groups, scored in
      if groups.last?.last?.file.name == scored.file.name {
        groups[groups.count - 1].append(scored)
      } else {
        groups.append([scored])
      }
    }
  }

  private func section(_ group: [ScoredClaim]) -> String {
    guard let file = group.first?.file else { return "" }
    var text = "\n### \(file.paper)\n\n" + MarkdownRenderer.rows(readable(group))
    let assumptions =
      file.assumptions.map(\.line)
      + group.flatMap { scored in scored.claim.assumptions.map { "\(scored.claim.id): \($0.line)" } }
    if !assumptions.isEmpty { text += "\nAssumed: " + assumptions.joined(separator: "; ") + ".\n" }
    return text
  }

  private func missed(_ scored: ScoredClaim) -> String {
    let figures = scored.figures.filter(\.verdict.isMiss).map { item in
      let predicted = item.predicted.map { Self.text($0, item.figure) } ?? "nothing (\(item.reason ?? "cannot run"))"
      let name = item.figure.label.isEmpty ? item.figure.metric.rawValue : item.figure.label
      return "\(name) \(predicted) against \(Self.text(item.figure.published, item.figure))"
    }
    return "\n**\(scored.claim.id)** (\(figures.joined(separator: "; "))): "
      + (scored.claim.miss ?? "no account is given.") + "\n"
  }

  private func plot(isRatio: Bool) -> String {
    let series = ScoredClaim.Standing.allCases.map { standing in
      ScatterChart.Series(
        standing.rawValue,
        claims.filter { $0.standing == standing }.flatMap { scored in
          scored.figures.compactMap { item -> ScatterChart.Point? in
            guard item.figure.form.isRatio == isRatio, let predicted = item.predicted, predicted > 0,
              item.figure.published.middle > 0
            else { return nil }
            return ScatterChart.Point(item.figure.published.middle, predicted, label: scored.claim.id)
          }
        })
    }
    return ScatterChart(
      ChartHeader(
        isRatio ? "Ratios" : "Absolute figures",
        subtitle: isRatio
          ? "Speed-ups, ratios, savings and gains; the band is 25 %" : "Each in its base unit; the band is 25 %"),
      x: Axis("published", kind: .logarithmic), y: Axis("predicted", kind: .logarithmic), series: series,
      reference: .identity(band: 0.25)
    ).svg()
  }
}
