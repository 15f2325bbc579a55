import Quantities
import Reporting

/// What a study's numbers say, in sentences. Each is written from the results, so that none can go stale.
struct StudyFindings {
  typealias Cell = ResultTable.Cell
  let results: StudyResults
  private var study: Study { results.study }
  private var reference: String { study.compared.values[0].name }

  /// Of all pages together.
  var overall: [String] {
    guard study.searchesCapacities else { return [] }
    return study.compared.values.indices.dropFirst().map(capacitySentence) + [bestSentence]
      + groups.map(groupSentence)
  }

  /// Of one page.
  func sentences(page: Int) -> [String] {
    let (middle, last) = (study.loads.count / 2, study.loads.count - 1)
    let distinct = middle == last ? [last] : [middle, last]
    return study.metrics.flatMap { metric in distinct.compactMap { extremes(metric, page: page, load: $0) } }
      + study.metrics.flatMap { metric in
        study.compared.values.indices.dropFirst().compactMap { crossing(metric, page: page, value: $0) }
      } + saturation(page: page)
  }

  // MARK: Capacity

  private func ratio(_ value: Int, _ page: Int) -> Double? {
    guard let own = results.capacities[page][value], let first = results.capacities[page][0], first > 0 else {
      return nil
    }
    return own / first
  }

  /// Where one value can take more than the reference, and where less.
  private func capacitySentence(_ value: Int) -> String {
    let name = study.compared.values[value].name
    let ratios = study.pages.indices.map { (page: study.pageName(study.pages[$0]), ratio: ratio(value, $0)) }
    func list(_ items: [(page: String, ratio: Double?)]) -> String {
      items.map { item in "\(item.page) (\(item.ratio.map { times($0) } ?? "no rate at all"))" }.joined(separator: ", ")
    }
    // The search stops at two per cent, so less is no difference.
    let more = ratios.filter { ($0.ratio ?? 0) > 1.04 }
    let less = ratios.filter { ($0.ratio ?? 0) < 0.96 }
    let parts = [
      more.isEmpty ? nil : "takes more load than \(reference) under \(list(more))",
      less.isEmpty ? nil : "takes less under \(list(less))",
    ].compactMap { $0 }
    guard !parts.isEmpty else { return "**\(name)** takes as much load as \(reference) everywhere, within 4 %." }
    return "**\(name)** \(parts.joined(separator: "; it "))."
  }

  private var bestSentence: String {
    let parts = study.pages.indices.map { page -> String in
      let best = study.compared.values.indices.compactMap { value in ratio(value, page).map { (value, $0) } }
        .max { $0.1 < $1.1 }
      guard let best else { return "nothing under \(study.pageName(study.pages[page]))" }
      let rate = Cell(results.capacities[page][best.0]).text(style: .rate)
      return "\(study.compared.values[best.0].name) under \(study.pageName(study.pages[page])) (\(rate))"
    }
    return "The highest capacity is that of " + parts.joined(separator: ", ") + "."
  }

  private var groups: [String] {
    var groups: [String] = []
    for case let group? in study.compared.values.map(\.group) where !groups.contains(group) { groups.append(group) }
    return groups
  }

  /// The best of a group against the reference, from one page to the next, and where it changes sides.
  private func groupSentence(_ group: String) -> String {
    let best = study.pages.indices.map { page in
      study.compared.values.indices.filter { study.compared.values[$0].group == group }
        .compactMap { value in ratio(value, page).map { (value: value, ratio: $0) } }.max { $0.ratio < $1.ratio }
    }
    let list = study.pages.indices.map { page in
      let name = study.pageName(study.pages[page])
      return best[page].map { "\(times($0.ratio)) under \(name) (\(study.compared.values[$0.value].name))" }
        ?? "no rate at all under \(name)"
    }
    let sides = study.pages.indices.map { (best[$0]?.ratio ?? 0) > 1 }
    let turns = study.pages.indices.dropFirst().filter { sides[$0] != sides[$0 - 1] }.map { page in
      "between \(study.pageName(study.pages[page - 1])) and \(study.pageName(study.pages[page]))"
    }
    let end =
      turns.isEmpty
      ? "It is \(sides[0] ? "more" : "not more") than \(reference) everywhere."
      : "It changes sides with \(reference) \(turns.joined(separator: ", and "))."
    return "The capacity of the best **\(group)** for each is \(list.joined(separator: ", ")). \(end)"
  }

  // MARK: Metrics

  /// The best and the worst at a load, against the reference.
  private func extremes(_ metric: RunMetric, page: Int, load: Int) -> String? {
    let estimates = study.compared.values.indices.compactMap { value in
      results.estimate(metric, page: page, value: value, load: load).map { (value: value, estimate: $0) }
    }.sorted { $0.estimate.value < $1.estimate.value }
    guard let first = results.estimate(metric, page: page, value: 0, load: load), estimates.count > 1,
      let low = estimates.first, let high = estimates.last
    else { return nil }
    let (best, worst) = metric.lowerIsBetter ? (low, high) : (high, low)
    let told = estimates.count { $0.value != 0 && $0.estimate.difference?.excludes(0) == true }
    let head = "At load \(number(study.loads[load])), \(metric.heading)"
    guard told > 0 else {
      return "\(head): nothing differs from \(reference) (\(text(first, metric))) beyond chance."
    }
    return "\(head): best \(named(best, first, metric)), worst \(named(worst, first, metric)); "
      + "\(told) of \(estimates.count - 1) differ from \(reference) (\(text(first, metric))) beyond chance."
  }

  private func named(
    _ item: (value: Int, estimate: StudyResults.Estimate), _ first: StudyResults.Estimate, _ metric: RunMetric
  ) -> String {
    guard item.value != 0 else { return "**\(reference)** itself" }
    let name = "**\(study.compared.values[item.value].name)** with \(text(item.estimate, metric))"
    return first.value > 0 ? "\(name), \(times(item.estimate.value / first.value))" : name
  }

  /// Between which loads a value changes from better than the reference to worse, or back, beyond chance.
  private func crossing(_ metric: RunMetric, page: Int, value: Int) -> String? {
    var sides: [(load: Double, better: Bool)] = []
    for load in study.loads.indices {
      guard let difference = results.estimate(metric, page: page, value: value, load: load)?.difference,
        difference.excludes(0)
      else { continue }
      sides.append((study.loads[load], (difference.estimate < 0) == metric.lowerIsBetter))
    }
    let turns = zip(sides, sides.dropFirst()).filter { $0.better != $1.better }
    guard let first = sides.first, !turns.isEmpty else { return nil }
    let name = study.compared.values[value].name
    let places = turns.map { "between load \(number($0.load)) and \(number($1.load))" }.joined(separator: ", again ")
    return "In \(metric.heading), **\(name)** is \(first.better ? "better" : "worse") than \(reference) at load "
      + "\(number(first.load)) and changes sides \(places)."
  }

  private func saturation(page: Int) -> [String] {
    let loads = study.loads.indices.compactMap { load -> String? in
      let names = study.compared.values.indices.filter { value in
        results.runs[page][value][load].contains(where: \.isSaturated)
      }.map { study.compared.values[$0].name }
      guard !names.isEmpty else { return nil }
      let who = names.count == study.compared.values.count ? "all" : names.joined(separator: ", ")
      return "at load \(number(study.loads[load])) \(who)"
    }
    guard !loads.isEmpty else { return [] }
    return [
      "Requests pile up without bound in at least one run: \(loads.joined(separator: "; ")). There, latencies grow with the length of the run."
    ]
  }

  // MARK: Words

  private func text(_ estimate: StudyResults.Estimate, _ metric: RunMetric) -> String {
    let value = Cell.number(estimate.value).text(style: metric.style)
    return value + (estimate.interval.map { " ± " + Cell.number($0.halfWidth).text(style: metric.style) } ?? "")
  }

  private func times(_ ratio: Double) -> String { "x " + roundedText(ratio, significantDigits: 3) }

  private func number(_ value: Double) -> String { roundedText(value, significantDigits: 3) }
}
