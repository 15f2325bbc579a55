import ArgumentParser
import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities
import Reporting
import Serving
import Studies

/// What can be listed.
enum EntryKind: String, ExpressibleByArgument, CaseIterable {
  case devices, systems, links, models, runtimes, plans, calibrations, traffic, scenarios, platforms, sites
  case schedulers, routers, admissions, evictions, autoscalers

  /// The policies of this kind; nothing for data files.
  var policies: [PolicyDescription]? {
    switch self {
    case .schedulers: Schedulers.descriptions
    case .routers: Routers.descriptions
    case .admissions: Admissions.descriptions
    case .evictions: EvictionOrder.allCases.map(\.policy)
    case .autoscalers: Autoscalers.descriptions
    default: nil
    }
  }
}

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the data files of a kind, or the policies that can be chosen.",
    discussion: """
        ridgeline list devices
        ridgeline list models --format csv
        ridgeline list schedulers
      """)

  @Argument(help: "One of \(EntryKind.allCases.map(\.rawValue).joined(separator: ", ")).")
  var kind: EntryKind

  @Option(help: "How the list is written: table, csv, json or markdown.")
  var format = ListFormat.table

  func run() throws {
    let table = try EntryTables(library: Library()).table(kind)
    switch format {
    case .table: try standardOutput(TableRenderer.rows(table) + "\n\(table.rows.count) \(kind.rawValue)\n")
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    case .markdown: try standardOutput("\(table.rows.count) \(kind.rawValue)\n\n" + MarkdownRenderer.rows(table))
    }
  }
}

/// How lists are written; documents take Markdown.
enum ListFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json, markdown
}

/// Tables of the data files.
struct EntryTables {
  typealias Column = ResultTable.Column
  typealias Cell = ResultTable.Cell
  let library: Library

  func table(_ kind: EntryKind) throws -> ResultTable {
    switch kind {
    case .devices: try devices()
    case .systems: try systems()
    case .links: try links()
    case .models: try models()
    case .runtimes: try runtimes()
    case .plans: try plans()
    case .calibrations: calibrations()
    case .traffic: try traffic()
    case .scenarios: try scenarios()
    case .platforms: try platforms()
    case .sites: try sites()
    case .schedulers, .routers, .admissions, .evictions, .autoscalers: policies(kind.policies ?? [])
    }
  }

  private func devices() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("kind"), Column("class"),
      Column("memory_b", heading: "memory", style: .size),
      Column("bandwidth_b_per_s", heading: "bandwidth", style: .bandwidth),
      Column("peak_16bit_flop_per_s", heading: "16-bit peak", style: .computeRate),
      Column("power_cap_w", heading: "cap", style: .power),
    ])
    for device in try library.platforms.devices.all() {
      let rates = ComputeRates(device)
      let peak = [NumberFormat.bf16, .fp16].map(rates.rate).max().flatMap { $0 > .zero ? $0 : nil }
      table.append([
        .text(device.name), .text(device.title), .text(device.kind.rawValue), .text(device.deviceClass.rawValue),
        Cell(device.storage?.capacity ?? device.mainMemory?.capacity),
        Cell(device.storage?.read ?? device.mainMemory?.bandwidth), Cell(peak), Cell(device.power.cap),
      ])
    }
    return table
  }

  private func systems() throws -> ResultTable {
    var table = ResultTable(columns: [Column("name"), Column("title"), Column("nodes"), Column("devices")])
    for system in try library.platforms.systems.all() {
      let devices = system.nodes.flatMap { node in
        node.devices.map { "\(node.count * $0.count) x \($0.device)" }
      }
      table.append([
        .text(system.name), .text(system.title), .int(system.nodes.reduce(0) { $0 + $1.count }),
        .text(devices.joined(separator: ", ")),
      ])
    }
    return table
  }

  private func links() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("medium"), Column("unit"),
      Column("bandwidth_b_per_s", heading: "per unit, one way", style: .bandwidth),
      Column("latency_s", heading: "latency", style: .time),
    ])
    for link in try library.platforms.links.all() {
      table.append([
        .text(link.name), .text(link.title), .text(link.medium.rawValue), .text(link.unit.rawValue),
        Cell(link.bandwidth),
        Cell(link.latency),
      ])
    }
    return table
  }

  private func models() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("architecture"), Column("layers"),
      Column("parameters", style: .count), Column("published_parameters", heading: "published", style: .count),
      Column("active_parameters", heading: "active", style: .count),
      Column("context_limit_tokens", heading: "context"),
    ])
    for entry in try library.models.all() {
      let model = entry.model
      table.append([
        .text(entry.name), .text(entry.title), .text(model.architecture), .int(model.decoder.layerCount),
        .int(model.parameterCount), Cell(entry.publishedParameters), .int(model.activeParameterCount),
        Cell(model.contextLimit),
      ])
    }
    return table
  }

  private func runtimes() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("memory_fraction", heading: "memory", style: .percent),
      Column("block_size", heading: "block"), Column("max_num_batched_tokens", heading: "token budget"),
      Column("max_num_seqs", heading: "sequences"), Column("batching"),
      Column("graph_capture", heading: "graphs"),
    ])
    for runtime in try library.runtimes.all() {
      table.append([
        .text(runtime.name), .text(runtime.title), .number(runtime.memoryFraction), .int(runtime.blockSize),
        .int(runtime.maxBatchedTokens), .int(runtime.maxSequences), .text(runtime.batching.rawValue),
        .text(runtime.graphCapture ? "yes" : "no"),
      ])
    }
    return table
  }

  private func plans() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("weights"), Column("kv", heading: "kv cache"), Column("attention"),
      Column("experts"),
    ])
    for plan in try library.plans.all() {
      table.append([
        .text(plan.name), .text(plan.title), .text(plan.weights.home ?? "main"),
        .text(plan.kv.home ?? plan.attention.at ?? "main"), .text(plan.attention.at ?? "main"),
        .text(plan.experts.home ?? "main"),
      ])
    }
    return table
  }

  private func platforms() throws -> ResultTable {
    var table = ResultTable(columns: [Column("name"), Column("title"), Column("cases")])
    for platform in try PlatformRunner(library: library).all() {
      table.append([.text(platform.name), .text(platform.title), .int(platform.cases.count)])
    }
    return table
  }

  private func calibrations() -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("class"), Column("device"), Column("runtime"), Column("date"), Column("error"),
    ])
    for calibration in library.calibrations {
      table.append([
        .text(calibration.name), Cell(calibration.deviceClass?.rawValue), Cell(calibration.device),
        Cell(calibration.runtime), .text(calibration.date), .text(calibration.error),
      ])
    }
    return table
  }

  private func traffic() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("requests", style: .count),
      Column("rate_per_s", heading: "arrivals", style: .rate),
    ])
    for traffic in try library.traffic().all() {
      table.append([
        .text(traffic.name), .text(traffic.title), .int(traffic.requests),
        traffic.meanRate.map { .number($0) } ?? .missing,
      ])
    }
    return table
  }

  private func scenarios() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("model"), Column("hardware"), Column("traffic"),
    ])
    for scenario in try library.scenarios().all() {
      let hardware = [scenario.replica.hardware].compactMap { $0 } + scenario.pools.compactMap(\.replica.hardware)
      table.append([
        .text(scenario.name), .text(scenario.title), Cell(scenario.model?.text),
        .text(hardware.map(\.text).joined(separator: ", ")), .text(scenario.trafficName),
      ])
    }
    return table
  }

  private func sites() throws -> ResultTable {
    var table = ResultTable(columns: [
      Column("name"), Column("title"), Column("pue", heading: "PUE"),
      Column("electricity_usd_per_kwh", heading: "USD/kWh"), Column("carbon_g_per_kwh", heading: "gCO2e/kWh"),
      Column("lifetime_years", heading: "years"),
    ])
    for site in try library.sites().all() {
      table.append([
        .text(site.name), .text(site.title), .number(site.pue), .number(site.electricity), .number(site.meanCarbon),
        .number(site.lifetime),
      ])
    }
    return table
  }

  private func policies(_ policies: [PolicyDescription]) -> ResultTable {
    var table = ResultTable(columns: [Column("name"), Column("summary"), Column("parameters"), Column("source")])
    for policy in policies.sorted(by: { $0.name < $1.name }) {
      let parameters = policy.parameters.map { "\($0.name)=\($0.standard.map { "\($0)" } ?? "...")" }
      table.append([
        .text(policy.name), .text(policy.summary), .text(parameters.joined(separator: ",")), .text(policy.source),
      ])
    }
    return table
  }
}

extension EvictionOrder {
  /// What help says of it.
  var policy: PolicyDescription {
    let (summary, source) =
      switch self {
      case .lru: ("the prefix used longest ago goes first", "vLLM and SGLang: the default of both")
      case .fifo: ("the prefix computed first goes first", "first in, first out")
      case .lfu:
        ("the prefix used least often goes first; among equals, the one used longest ago", "least frequently used")
      case .largest:
        ("the prefix with the most blocks goes first; among equals, the one used longest ago", "largest first")
      }
    return PolicyDescription(rawValue, summary, source: source)
  }
}
