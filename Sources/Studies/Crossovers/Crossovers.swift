import CostModels
import Documents
import Execution
import ModelGraph
import Quantities
import Reporting
import Techniques

/// The maps that users ask for.
struct Crossovers {
  let library: Library
  private let batches = [1, 2, 4, 8, 16, 32, 64, 128, 256]

  private func deployment(
    _ model: String, _ hardware: String, _ runtime: String = "vllm-v1", tp: Int = 1, with techniques: [String] = [],
    change: (inout Library.Request) -> Void = { _ in }
  ) throws -> Deployment {
    var request = Library.Request(
      model: model, hardware: hardware, runtime: runtime, parallelism: Parallelism(tensor: tp),
      techniques: try techniques.map(Techniques.parse))
    change(&request)
    return try library.deployment(request)
  }

  /// Time of one token of every sequence.
  private func tokenTime(_ deployment: Deployment, batch: Int, context: Int) -> Double {
    deployment.tokenCost(.decode(sequences: batch, context: context, spans: deployment.graph.spans)).time.value
  }

  /// A place on an axis, or that there is none among those drawn.
  private func place(_ value: Double?) -> String {
    value.map { "at \(groupedDigits(Int($0.rounded())))" } ?? "nowhere among those drawn"
  }

  private func number(_ value: Double?) -> String { value.map { groupedDigits(Int($0.rounded())) } ?? "-" }

  // MARK: Formats

  /// W4A16, W8A8 and BF16 over batch on three devices.
  func weightFormats() throws -> CrossoverMap {
    var series: [LineChart.Series] = []
    var findings: [String] = []
    for hardware in ["l4", "a100-sxm-80gb", "h100-sxm"] {
      let plain = try deployment("llama-3-8b", hardware)
      let eight = hardware == "a100-sxm-80gb" ? "w8a8:format=int8" : "w8a8:format=fp8"
      let lines = try ["w4a16", eight].map { technique in
        let other = try deployment("llama-3-8b", hardware, with: [technique])
        let points = (batches + [512, 1024]).map { batch in
          LineChart.Point(
            Double(batch), tokenTime(plain, batch: batch, context: 1) / tokenTime(other, batch: batch, context: 1))
        }
        return LineChart.Series("\(technique.prefix(5)), \(hardware)", points)
      }
      series += lines
      findings.append(
        "\(hardware): by batch, W4A16 falls behind W8A8 "
          + "\(place(CrossoverMap.crossing(lines[0].points, below: lines[1].points))), and to BF16's speed "
          + "\(place(CrossoverMap.crossing(lines[0].points, below: 1.02))).")
    }
    return CrossoverMap(
      name: "weight-formats", title: "W4A16 against W8A8 against BF16, over batch and device",
      setting: "Llama-3-8B, decode steps at a context of one token under vLLM V1's profile, speed over BF16's.",
      chart: LineChart(
        ChartHeader("Weight formats over batch", subtitle: "Speed over BF16's, Llama-3-8B"),
        x: Axis("sequences", kind: .logarithmic), y: Axis("speed over BF16's"), series: series), findings: findings)
  }

  // MARK: Drafts

  func speculation() throws -> CrossoverMap {
    let draft = "draft-head:depth=3,vocabulary=32000,acceptance=0.75"
    var findings: [String] = []
    let series = try [("h100-sxm", "sglang"), ("a100-sxm-80gb", "vllm-v0"), ("l4", "vllm-v1")].map {
      hardware, runtime in
      let plain = try deployment("llama-3.1-8b", hardware, runtime)
      let drafted = try deployment("llama-3.1-8b", hardware, runtime, with: [draft])
      let points = batches.map { batch in
        LineChart.Point(
          Double(batch), tokenTime(plain, batch: batch, context: 1024) / tokenTime(drafted, batch: batch, context: 1024)
        )
      }
      findings.append(
        "\(hardware) under \(runtime): \(roundedText(points[0].y, significantDigits: 3)) x at one sequence; by batch, the "
          + "gain turns to loss \(place(CrossoverMap.crossing(points, below: 1))).")
      return LineChart.Series("\(hardware), \(runtime)", points)
    }
    return CrossoverMap(
      name: "speculation", title: "Speculative decoding over batch",
      setting: "Llama-3.1-8B, context 1024, chains of 3 from a draft head, acceptance 0.75 at each depth.",
      chart: LineChart(
        ChartHeader("Speculative decoding over batch", subtitle: "Speed over plain decoding's, Llama-3.1-8B"),
        x: Axis("sequences", kind: .logarithmic), y: Axis("speed over plain decoding's"), series: series),
      findings: findings)
  }

  // MARK: Experts

  func expertsAgainstDense() throws -> CrossoverMap {
    let pairs = [("mixtral-8x7b", "llama-2-13b", 2), ("qwen3-30b-a3b", "qwen3-8b", 1)]
    var findings: [String] = []
    let series = try pairs.map { experts, dense, tp in
      let (one, other) = (try deployment(experts, "hgx-h100", tp: tp), try deployment(dense, "hgx-h100", tp: tp))
      let points = (batches + [512]).map { batch in
        LineChart.Point(
          Double(batch), tokenTime(other, batch: batch, context: 1024) / tokenTime(one, batch: batch, context: 1024))
      }
      let worst = points.min { $0.y < $1.y }
      findings.append(
        "\(experts) over \(dense) on \(tp) H100: \(roundedText(points[0].y, significantDigits: 3)) x alone, least "
          + "(\(roundedText(worst?.y ?? 0, significantDigits: 3)) x) at a batch of \(number(worst?.x)), when nearly all "
          + "experts are read for few tokens each.")
      return LineChart.Series("\(experts) over \(dense)", points)
    }
    return CrossoverMap(
      name: "experts", title: "Mixtures of experts against dense models over batch",
      setting:
        "Speed of a decode step over that of a dense model of about as many active parameters or more, context 1024.",
      chart: LineChart(
        ChartHeader("Experts against dense models", subtitle: "Speed over the dense model's, H100"),
        x: Axis("sequences", kind: .logarithmic), y: Axis("speed over the dense model's"), series: series),
      findings: findings)
  }

  // MARK: Cache

  func cacheCompression() throws -> CrossoverMap {
    let plain = try deployment("llama-3.1-8b", "a100-sxm-80gb")
    let contexts = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072]
    var findings: [String] = []
    let choices = [
      "kv-quant:bits=4", "kv-budget:share=0.25", "kv-select:tokens=2048,window=512",
      "retrieval-heads:share=0.15,window=4000",
    ]
    let series = try choices.map { technique in
      let other = try deployment("llama-3.1-8b", "a100-sxm-80gb", with: [technique])
      let points = contexts.map { context in
        LineChart.Point(Double(context), rate(other, context) / rate(plain, context))
      }
      let name = String(technique.split(separator: ":")[0])
      let first = points.first { $0.y >= 1.5 }
      findings.append(
        "\(name): by context, 1.5 times the throughput first \(place(first?.x)) tokens, "
          + "\(roundedText(points.last?.y ?? 0, significantDigits: 3)) times at \(number(points.last?.x)).")
      return LineChart.Series(name, points)
    }
    return CrossoverMap(
      name: "cache-compression", title: "KV compression over context",
      setting:
        "Llama-3.1-8B on an A100 80GB: tokens a second of the largest batch that fits, at most 256, over that of the "
        + "plain cache.",
      chart: LineChart(
        ChartHeader("KV compression over context", subtitle: "Throughput at the largest batch over the plain cache's"),
        x: Axis("tokens of context", kind: .logarithmic), y: Axis("throughput over the plain cache's"), series: series),
      findings: findings)
  }

  /// Tokens a second of the largest batch of so long sequences.
  private func rate(_ deployment: Deployment, _ context: Int) -> Double {
    let batch = max(1, min(256, deployment.memoryLedger().largestBatch(tokens: context)))
    return Double(batch) / tokenTime(deployment, batch: batch, context: context)
  }

  // MARK: Disaggregation

  func disaggregation() throws -> CrossoverMap {
    let runner = ScenarioRunner(ScenarioBuilder(library: library))
    let rates = [4.0, 8, 16, 24, 32, 40, 48]
    func line(_ name: String, pools: String) throws -> LineChart.Series {
      let points = try rates.map { rate in
        let text = """
          name: crossover
          title: four H100
          model: llama-3-8b
          hardware: h100-sxm
          runtime: vllm-v1
          \(pools)
          traffic: {name: azure-conversation, rate_per_s: \(rate)}
          horizon: {requests: 4000}
          """
        let outcome = try runner.run(ScenarioFile.parse(text, file: "crossover"))
        let summary = RunSummary(outcome, requests: 400..<outcome.series.count)
        return LineChart.Point(rate, summary[.tpotP99] ?? .nan)
      }
      return LineChart.Series(name, points)
    }
    let together = try line("four together", pools: "replicas: 4")
    let apart = try line(
      "two and two",
      pools: """
        pools:
          - {name: prompts, role: prefill, replicas: 2}
          - {name: answers, role: decode, replicas: 2}
        transfers: {link: infiniband-ndr, sharing: sender}
        """)
    let last = Array(zip(together.points, apart.points)).last { $1.y < $0.y }
    let finding = last.map {
      "Apart is better up to \(number($0.0.x)) requests a second; its P99 there is "
        + "\(ResultTable.Cell.number($0.1.y).text(style: .time)) against \(ResultTable.Cell.number($0.0.y).text(style: .time))."
    }
    return CrossoverMap(
      name: "disaggregation", title: "Prompts and answers apart, over load",
      setting:
        "Llama-3-8B, Azure conversations, four H100: all alike, or two for prompts and two for answers. The study in "
        + "Reports/Examples/disaggregation goes further.",
      chart: LineChart(
        ChartHeader("Prompts and answers apart", subtitle: "P99 time per output token, four H100"),
        x: Axis("requests a second"), y: Axis("P99 TPOT", unit: .seconds, kind: .logarithmic),
        series: [together, apart]),
      findings: [finding ?? "Together is better at every load drawn."])
  }

  // MARK: Storage

  func attentionOnStorage() throws -> CrossoverMap {
    let contexts = [512, 1024, 2048, 4096, 8192]
    func line(_ name: String, _ plan: String, drives: [String: Int]) throws -> LineChart.Series {
      var placement = try library.plans.find(plan)
      placement.units = drives
      let placed = try deployment("opt-13b", "a6000-csd-20", "hugging-face") {
        $0.plan = placement
      }
      let points = contexts.map { context in
        LineChart.Point(
          Double(context),
          64 / placed.price(.decode(sequences: 64, context: context, spans: placed.graph.spans)).time.value)
      }
      return LineChart.Series(name, points)
    }
    var series = [try line("cache on 2 SSDs", "kv-ssd", drives: ["storage": 2])]
    for count in [1, 4, 20] {
      series.append(try line("attention on \(count) CSD", "attention-csd", drives: ["csd": count]))
    }
    let gains = series.dropFirst().map { own in
      "\(own.name): \(roundedText((own.points.last?.y ?? 0) / (series[0].points.last?.y ?? 1), significantDigits: 3)) times "
        + "the drives' tokens a second at \(number(own.points.last?.x)) tokens."
    }
    return CrossoverMap(
      name: "attention-on-storage", title: "Attention on storage, over context and drives",
      setting:
        "OPT-13B, 64 sequences, one A6000; the cache read from drives to the GPU, or attention inside computational "
        + "drives.",
      chart: LineChart(
        ChartHeader("Attention on storage", subtitle: "Tokens a second of 64 sequences, OPT-13B"),
        x: Axis("tokens of context", kind: .logarithmic), y: Axis("tokens a second", kind: .logarithmic), series: series
      ),
      findings: gains)
  }

  // MARK: Processors

  /// What CPUs cost an hour is not in device files: an eighth of an EPYC or Xeon server's rent is assumed for a socket.
  private static let socketPerHour = 0.80

  func processorsAgainstDevices() throws -> CrossoverMap {
    let choices = [
      ("xeon-platinum-8592-plus", "llama-cpp"), ("l4", "vllm-v1"), ("a100-sxm-80gb", "vllm-v1"),
      ("h100-sxm", "vllm-v1"),
    ]
    let sizes = [1, 2, 4, 8, 16, 32, 64]
    let series = try choices.map { hardware, runtime in
      let own = try deployment("llama-3-8b", hardware, runtime, with: ["w4a16"])
      let hourly = own.hourlyPrice?.value ?? Self.socketPerHour
      let points = sizes.compactMap { batch -> LineChart.Point? in
        guard own.memoryLedger().largestBatch(tokens: 2048) >= batch else { return nil }
        return LineChart.Point(
          Double(batch), tokenTime(own, batch: batch, context: 1024) / 3600 / Double(batch) * hourly * 1e6)
      }
      return LineChart.Series(hardware, points)
    }
    let findings = series.dropFirst().map { device in
      let first = zip(device.points, series[0].points).first { $0.y < $1.y }?.0.x
      return "\(device.name): by batch, cheaper a token than the CPU first \(place(first))."
    }
    return CrossoverMap(
      name: "processors", title: "CPU against GPU, over batch and price",
      setting:
        "Llama-3-8B in 4-bit weights, context 1024: price of a million tokens at hourly rents; 0.80 USD/h is assumed "
        + "for a CPU socket with its memory.",
      chart: LineChart(
        ChartHeader("CPU against GPU", subtitle: "Price of a million tokens, Llama-3-8B in 4-bit weights"),
        x: Axis("sequences", kind: .logarithmic), y: Axis("USD a million tokens", kind: .logarithmic), series: series),
      findings: findings)
  }
}
