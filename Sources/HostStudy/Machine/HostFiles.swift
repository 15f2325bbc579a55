import CostModels
import Documents
import Hardware
import Quantities
import ReferenceEngine

/// The files that describe this machine to Ridgeline: a device for each number of threads, a runtime and a calibration
/// for each format of weights.
package struct HostFiles: Sendable {
  package let folder: String
  /// What devices are called, before the number of threads.
  package let name: String

  package init(folder: String, name: String = "host") {
    self.folder = folder
    self.name = name
  }

  package func deviceName(_ threads: Int) -> String { "\(name)-\(threads)-thread" }

  package static func runtimeName(_ format: WeightFormat) -> String {
    "reference-engine-\(format.rawValue.replacing("_", with: "-"))"
  }

  package func calibrationName(_ format: WeightFormat, _ threads: Int) -> String {
    "\(deviceName(threads))-\(Self.runtimeName(format))"
  }

  func devicePath(_ threads: Int) -> String { "\(folder)/Devices/\(deviceName(threads)).yaml" }
  func runtimePath(_ format: WeightFormat) -> String { "\(folder)/Runtimes/\(Self.runtimeName(format)).yaml" }

  func calibrationPath(_ format: WeightFormat, _ threads: Int) -> String {
    "\(folder)/Calibrations/\(calibrationName(format, threads)).yaml"
  }

  // MARK: Reading

  package func device(_ threads: Int) throws -> Device {
    try hinted { try Device.read(path: devicePath(threads), name: deviceName(threads)) }
  }

  package func runtime(_ format: WeightFormat) throws -> RuntimeProfile {
    try hinted { try RuntimeProfile.read(path: runtimePath(format), name: Self.runtimeName(format)) }
  }

  package func calibration(_ format: WeightFormat, _ threads: Int) throws -> Calibration {
    try hinted { try Calibration.read(path: calibrationPath(format, threads), name: calibrationName(format, threads)) }
  }

  private func hinted<Value>(_ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch var error as DataError {
      if error.problem == "no such file" { error.problem += "; run 'ridgeline host calibrate' first" }
      throw error
    }
  }

  // MARK: Writing

  package static func write(_ text: String, _ path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(text)
    try file.finish()
  }

  package func writeRuntime(_ format: WeightFormat) throws {
    try Self.write(
      """
      name: \(Self.runtimeName(format))
      title: Ridgeline's reference engine, \(format.rawValue) weights
      sources:
        engine: "Sources/ReferenceEngine of this repository"
      memory_fraction: 1
      reserved_memory: 0 B
      block_size: 16
      watermark: 0
      max_num_batched_tokens: \(EngineServer.budget)
      max_num_seqs: \(EngineServer.mostSequences)
      batching: chunked
      graph_capture: true
      source:
        memory_fraction: engine
        reserved_memory: engine
        block_size: engine
        watermark: engine
        max_num_batched_tokens: engine
        max_num_seqs: engine
        batching: engine

      """, runtimePath(format))
  }

  package func writeDevice(_ facts: HostFacts, _ measured: MachineMeasurement, threads: Int, date: String) throws {
    try Self.write(
      DeviceText(files: self, facts: facts, measured: measured, threads: threads, date: date).text,
      devicePath(threads))
  }
}

/// Spells a device file.
private struct DeviceText {
  let files: HostFiles
  let facts: HostFacts
  let measured: MachineMeasurement
  let threads: Int
  let date: String

  var text: String {
    """
    name: \(files.deviceName(threads))
    title: This machine, \(threads) of \(facts.cores) cores
    vendor: unknown
    architecture: \(quoted(facts.processor))
    kind: cpu
    class: simd-cpu
    released: \(date.prefix(4))
    notes: >
      Written by 'ridgeline host calibrate' on \(date). Peaks are what kernels reach in registers and by reading alone:
      of int8, in blocks of 32 products whose sums are scaled in f32, as quantised weights need it.
    sources:
      measured: "measured here with \(facts.instructions.rawValue) instructions and \(threads) threads, \(date)"
      system: "the operating system"
      estimate: "estimate: nothing here measures power"
    compute:
      - engine: \(facts.instructions.rawValue)
        type: vector
        units: \(threads)
        unit: core
        peaks:
          - {input: fp32, accumulator: fp32, rate: \(measured.peak(.fp32, threads: threads))}
          - {input: int8, accumulator: int32, rate: \(measured.peak(.int8, threads: threads))}
        source: {units: system, peaks: measured}
    memories:
      - name: dram
        level: main
        capacity: \(facts.memory)
        bandwidth: \(measured.memoryBandwidth(threads: threads))
        source: {capacity: system, bandwidth: measured}
    \(facts.caches.map(cache).joined(separator: "\n"))
    power:
      idle: 10 W
      cap: \(15 * threads) W
      source: {idle: estimate, cap: estimate}

    """
  }

  private func cache(_ cache: HostFacts.Cache) -> String {
    let rate = measured.bandwidth(of: cache.size * 0.5, threads: threads)
    return """
        - name: l\(cache.level)
          level: cache
          capacity: \(Int(cache.size.value / 1024)) KiB
          bandwidth: \(rate)
          source: {capacity: system, bandwidth: measured}
      """
  }

  private func quoted(_ text: String) -> String { "\"\(text.replacing("\"", with: "'"))\"" }
}
