import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities

/// A device of round numbers, for arithmetic that fits on a line.
package struct RoundDevice {
  package var name = "round"
  package var kind = "gpu"
  package var deviceClass = "tensor-core-gpu"
  package var units = 1
  /// Of bf16 on the matrix engine; fp32 on the vector engine does a tenth.
  package var compute = 1e12
  package var bandwidth = 100e9
  package var capacity = 100e9

  package init() {}

  /// 100 W at most, 10 W at rest.
  package func device() throws -> Device {
    try Device.parse(YAMLDocument.parse(yaml, file: name), name: name)
  }

  private var yaml: String {
    """
    name: \(name)
    title: A device of round numbers
    vendor: nobody
    kind: \(kind)
    class: \(deviceClass)
    released: 2026
    sources: {made-up: made up for arithmetic}
    compute:
      - engine: matrix
        type: matrix
        units: \(units)
        unit: unit
        peaks: [{input: bf16, accumulator: fp32, rate: \(compute) FLOP/s}]
        source: made-up
      - engine: vector
        type: vector
        units: \(units)
        unit: unit
        peaks: [{input: fp32, accumulator: fp32, rate: \(compute / 10) FLOP/s}]
        source: made-up
    memories:
      - {name: main, level: main, capacity: \(capacity) B, bandwidth: \(bandwidth) B/s, source: made-up}
    power: {idle: 10 W, cap: 100 W, source: made-up}
    """
  }

  /// The device with a 10 GB/s switch without latency between copies.
  package func platform(
    perNode: Int? = nil, nodePath: LinkPath? = nil, isMesh: Bool = false
  ) throws -> Platform {
    Platform(
      name: name, title: name, device: try device(), available: nil, perNode: perNode,
      peerPath: LinkPath(name: "wire", bandwidth: BytesPerSecond(10e9), latency: .zero, isMesh: isMesh),
      nodePath: nodePath)
  }
}

/// Calibrations written out in tests.
package enum TestCalibration {
  /// Every share 1, every start 0; static power a fifth of the cap, compute half, memory three tenths.
  package static let ideal: [String: String] = [
    "gemm_compute": "1", "gemm_memory": "1", "gemm_start": "0 s", "gemm_fill": "0 s", "gemm_step": "0 s",
    "gemm_load": "0", "gemm_store": "1", "gemm_write": "1", "gemm_wave": "1", "gemm_split_start": "0 s",
    "expert_compute": "1", "expert_start": "0 s", "expert_fill": "0 s", "expert_load": "0",
    "decode_attention_compute": "1", "decode_attention_memory": "1", "decode_attention_start": "0 s",
    "decode_attention_tile": "0 s", "decode_attention_group": "0", "decode_attention_join": "0 s",
    "decode_attention_join_context": "1000",
    "decode_attention_regroup": "0 s", "prefill_attention_compute": "1", "prefill_attention_memory": "1",
    "prefill_attention_start": "0 s", "prefill_attention_tile": "0 s", "prefill_attention_write": "1",
    "prefill_attention_head": "0", "elementwise_memory": "1", "elementwise_start": "0 s", "scan_compute": "1",
    "collective_link": "1", "collective_two_shot_link": "1", "collective_one_shot_start": "0 s",
    "collective_one_shot_hop": "0 s",
    "collective_two_shot_start": "0 s",
    "collective_hop": "0 s", "collective_direct_limit": "1e12", "collective_ring_start": "0 s",
    "collective_ring_hop": "0 s", "collective_ring_link": "1", "exchange_start": "0 s", "exchange_link": "1",
    "launch": "0 s", "step_overhead": "0 s", "step_per_sequence": "0 s", "step_with_prompts": "0 s",
    "request_overhead": "0 s", "request_per_token": "0 s",
    "power_static": "0.2", "power_compute": "0.5", "power_memory": "0.3", "power_attention": "0",
  ]

  /// A calibration of some constants for a device or class, and a runtime or any.
  package static func calibration(
    _ name: String, appliesTo: String, _ constants: [String: String]
  ) throws -> Calibration {
    let lines = constants.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }.joined(separator: "\n")
    let text = """
      name: \(name)
      title: \(name)
      applies_to: {\(appliesTo)}
      date: 2026-01-01
      data: none
      method: none
      error: none
      valid: tests
      constants:
      \(lines)
      """
    return try Calibration.parse(YAMLDocument.parse(text, file: name), name: name)
  }

  /// The ideal constants with some replaced, as a choice for a device.
  package static func choice(for device: Device, _ replaced: [String: String] = [:]) throws -> CalibrationChoice {
    let constants = ideal.merging(replaced) { _, new in new }
    let own = try calibration("ideal", appliesTo: "device: \(device.name)", constants)
    return try CalibrationChoice(device: device, runtime: "vllm-v1", from: [own], folder: "Calibrations")
  }
}

package enum RoundDeployment {
  /// A model on the round device under vLLM's limits, priced with ideal constants but for some.
  package static func make(
    _ model: Model = TinyModel.dense(), on device: RoundDevice = RoundDevice(), _ constants: [String: String] = [:],
    _ parallelism: Parallelism = Parallelism(), formats: FormatRequest = FormatRequest(),
    runtime change: (inout RuntimeProfile) -> Void = { _ in }
  ) throws -> Deployment {
    var runtime = try Repository.runtime("vllm-v1")
    change(&runtime)
    let platform = try device.platform()
    return try Deployment(
      platform: platform, model: model, runtime: runtime, formats: formats, parallelism: parallelism,
      calibration: TestCalibration.choice(for: platform.device, constants))
  }
}

/// Models small enough to check by hand.
package enum TinyModel {
  /// Two layers of width 64 with four query heads, two KV heads and a gated network; window by layer.
  package static func dense(
    layers: Int = 2, hidden: Int = 64, windows: [Int?] = [nil], heads: Int = 4, kvHeads: Int = 2
  ) -> Model {
    let width = hidden / heads
    let stack = (0..<layers).map { index in
      Layer(
        mixers: [
          .attention(
            Attention(
              queryHeads: heads, kvHeads: kvHeads, headWidth: width, window: windows[index % windows.count]))
        ], feedForward: .dense(DenseFeedForward(width: 2 * hidden, gated: true)), norm: .rms)
    }
    return Model(
      name: "tiny", architecture: "llama", vocabulary: 256, hidden: hidden,
      decoder: Stack(layers: stack, finalNorm: .rms))
  }

  /// The dense model with a mixture in each layer.
  package static func mixture(experts: Int, chosen: Int, shared: Int? = nil) -> Model {
    var model = dense()
    let mixture = MixtureOfExperts(
      experts: experts, expertsPerToken: chosen, expertWidth: 32,
      shared: shared.map { DenseFeedForward(width: $0, gated: true) })
    for index in model.decoder.runs.indices { model.decoder.runs[index].layer.feedForward = .mixture(mixture) }
    return model
  }
}

extension [Operator] {
  /// All instances of the operators with a name.
  package func named(_ name: String) -> [Operator] { filter { $0.name == name } }

  package var totalFLOPs: Double { reduce(0) { $0 + $1.flops.value * Double($1.count) } }

  package var totalTraffic: ModelGraph.Traffic {
    reduce(ModelGraph.Traffic()) { $0 + $1.traffic * Double($1.count) }
  }

  /// Those that multiply weights.
  package var products: [Operator] {
    filter {
      switch $0.kind {
      case .gemm, .expertGEMM: true
      default: false
      }
    }
  }
}

/// Whether two numbers agree to a relative error.
package func near(_ a: Double, _ b: Double, within error: Double = 1e-9) -> Bool {
  abs(a - b) <= error * max(abs(a), abs(b))
}

/// A product of whole numbers; spelled as a function because long chains of literals are slow to type-check.
package func product(_ factors: Int...) -> Double { Double(factors.reduce(1, *)) }
