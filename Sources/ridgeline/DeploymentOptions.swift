import ArgumentParser
import Execution
import ModelGraph
import Quantities
import Studies
import Techniques

/// Options that say which model runs on what, shared by the commands that price a deployment.
struct DeploymentOptions: ParsableArguments {
  private static let defaultRuntime = "vllm-v1"

  @Option(help: "Model: a name from 'ridgeline list models', a Hugging Face id, or a path to a config.json.")
  var model: String?

  @Option(help: "Device or system: a name from 'ridgeline list devices' or 'systems', or a path to a device file.")
  var hardware: String?

  @Option(help: "Serving runtime: a name from 'ridgeline list runtimes'; default: vllm-v1.")
  var runtime: String?

  @Option(help: "Format of weights (bf16, fp16, fp8, int8, int4-g128, mxfp4, ...); default: the checkpoint's.")
  var weights: String?

  @Option(help: "Format in which projections multiply; default: the checkpoint's, if the device computes in it.")
  var activations: String?

  @Option(name: .customLong("kv-format"), help: "Format of the KV cache; default: the checkpoint's 16-bit format.")
  var kvFormat: String?

  @Option(parsing: .unconditional, help: "Tensor parallelism: devices that share every layer.")
  var tp: Int?

  @Option(parsing: .unconditional, help: "Pipeline parallelism: groups of devices that each hold some layers.")
  var pp: Int?

  @Option(parsing: .unconditional, help: "Expert parallelism: devices that whole experts are spread over.")
  var ep: Int?

  @Option(
    parsing: .unconditional, help: "Data parallelism: copies of the model (of its attention, with expert parallelism).")
  var dp: Int?

  @Option(
    parsing: .unconditional,
    help: "Skew of expert loads: the exponent of a power law, such as 1.2; default: all experts alike.")
  var expertSkew: Double?

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp(
      "A technique, as w4a16:group=128; may be given several times. 'ridgeline techniques' lists them.",
      valueName: "technique"))
  var techniques: [String] = []

  @Option(
    help: ArgumentHelp(
      "Where tensors live and operators run: a name from 'ridgeline list plans', a plan file, or 'auto'; default: "
        + "everything on the devices that compute.", valueName: "plan"))
  var plan: String?

  @Option(help: "Board power of each device that a plan's steps are stretched to stay under, such as '300 W'.")
  var boardPower: String?

  @Option(parsing: .unconditional, help: "Clock of the arithmetic units under a plan, as a share of the device's own.")
  var clock: Double?

  @Option(
    help: ArgumentHelp(
      "Whose core launches kernels and schedules steps: a processor, or 'own' for the one beside the devices; default: "
        + "the calibrations' host.", valueName: "processor"))
  var hostCore: String?

  func request() throws -> Library.Request {
    guard let model else { throw UsageError("--model is missing, for example --model llama-3-8b") }
    guard let hardware else { throw UsageError("--hardware is missing, for example --hardware h100-sxm") }
    var request = Library.Request(
      model: model, hardware: hardware, runtime: runtime ?? Self.defaultRuntime, formats: try formats(),
      parallelism: try parallelism(over: Parallelism()),
      routing: try expertSkew.map { .powerLaw(try checked($0, "--expert-skew", ExpertRouting.exponents)) } ?? .uniform,
      techniques: try techniques.map(Techniques.parse))
    request.hostCore = hostCore.map { HostCore($0) }
    return request
  }

  /// The deployment under the plan that was asked for; resident when none was.
  func placed(by library: Library, for batch: BatchCase) throws -> Deployment {
    var request = try planned(try request(), by: library, for: batch)
    request.plan = request.plan ?? .resident
    return try library.deployment(request)
  }

  /// The request with the plan, power limit and clock that options name.
  func planned(_ base: Library.Request, by library: Library, for batch: BatchCase) throws -> Library.Request {
    var request = base
    request.powerCap = try boardPower.map(power)
    request.clock = try clock.map { try checked($0, "--clock", 0.05...2) } ?? 1
    guard let plan else { return request }
    guard plan == "auto" else {
      request.plan = try library.plans.find(plan)
      return request
    }
    let attempts = try PlanSearch(library: library).search(request, batch)
    for attempt in attempts { standardError("Plan \(attempt.plan.name): \(attempt.reason)") }
    request.plan = attempts.first?.plan
    return request
  }

  private func power(_ text: String) throws -> Watts {
    guard let power = try? Watts(parsing: text), power > .zero else {
      throw UsageError("--board-power: found '\(text)', expected a power such as '300 W'")
    }
    return power
  }

  /// Replaces what options name in a scenario.
  func apply(to scenario: inout Scenario) throws {
    guard expertSkew == nil else { throw UsageError("--expert-skew is for predict; replays load all experts alike") }
    guard plan != "auto" else { throw UsageError("--plan auto is for predict and step; name a plan for a replay") }
    guard boardPower == nil, clock == nil else {
      throw UsageError("--board-power and --clock are for predict and step; a scenario has 'power_cap'")
    }
    guard hostCore == nil else { throw UsageError("--host-core is for predict and step") }
    if let plan { scenario.replica.plan = Located(plan) }
    if let model { scenario.model = Located(model) }
    if let hardware { scenario.replica.hardware = Located(hardware) }
    if let runtime { scenario.replica.runtime = Located(runtime) }
    var options = ReplicaSettings()
    options.formats = try formats()
    if !techniques.isEmpty { options.techniques = techniques.map { Located($0) } }
    scenario.replica = options.over(scenario.replica)
    if tp != nil || pp != nil || ep != nil || dp != nil {
      scenario.replica.parallelism = try parallelism(over: scenario.replica.parallelism ?? Parallelism())
    }
  }

  private func formats() throws -> FormatRequest {
    FormatRequest(
      weights: try format(weights, "--weights"), activations: try format(activations, "--activations"),
      kv: try format(kvFormat, "--kv-format"))
  }

  private func parallelism(over base: Parallelism) throws -> Parallelism {
    func degree(_ value: Int?, _ option: String, _ base: Int) throws -> Int {
      try value.map { try checked($0, option, 1...4096) } ?? base
    }
    return Parallelism(
      tensor: try degree(tp, "--tp", base.tensor), pipeline: try degree(pp, "--pp", base.pipeline),
      expert: try degree(ep, "--ep", base.expert), data: try degree(dp, "--dp", base.data))
  }

  private func format(_ text: String?, _ option: String) throws -> NumberFormat? {
    guard let text else { return nil }
    let names = NumberFormat.allCases.map(\.rawValue)
    guard let format = NumberFormat(rawValue: text.lowercased()) else {
      let hint = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? ""
      throw UsageError("\(option): unknown format '\(text)', expected one of \(names.joined(separator: ", "))\(hint)")
    }
    return format
  }
}

/// A whole number from the command line, within a range.
func checked(_ value: Int, _ option: String, _ range: ClosedRange<Int>) throws -> Int {
  guard range.contains(value) else {
    throw UsageError(
      "\(option): found \(value), expected a whole number from \(range.lowerBound) to \(range.upperBound)")
  }
  return value
}

/// A number from the command line, finite and within a range.
func checked(_ value: Double, _ option: String, _ range: ClosedRange<Double>) throws -> Double {
  guard value.isFinite, range.contains(value) else {
    throw UsageError("\(option): found \(value), expected a number from \(range.lowerBound) to \(range.upperBound)")
  }
  return value
}

/// How results are written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json
}
