import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import Quantities
import ReferenceEngine
import TestSupport
import Testing

@testable import HostStudy

/// Files that describe a machine, from measurements to predictions.
@Suite struct HostFilesTests {
  private let files = HostFiles(folder: NSTemporaryDirectory() + "ridgeline-host-\(UUID().uuidString)")

  private var shipped: [Calibration] {
    get throws { try Library(folder: Repository.folder).calibrations }
  }

  private static let device = """
    name: host-1-thread
    title: A machine of round numbers
    vendor: unknown
    kind: cpu
    class: simd-cpu
    released: 2026
    sources: {x: "estimate: for a test"}
    compute:
      - engine: avx2
        type: vector
        units: 1
        unit: core
        peaks: [{input: fp32, accumulator: fp32, rate: 100 GFLOP/s}, {input: int8, accumulator: int32, rate: 400 GFLOP/s}]
        source: {units: x, peaks: x}
    memories: [{name: dram, level: main, capacity: 16 GiB, bandwidth: 20 GB/s, source: x}]
    power: {idle: 10 W, cap: 15 W, source: x}
    """

  /// A machine whose kernels take exactly what a table says.
  private static var kernels: KernelTable {
    var table = KernelTable()
    let rows: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048]
    table.products = [
      KernelTable.Product(
        weights: .fp32, start: 3e-6, input: 4e-10, output: 2e-10, rows: rows, times: rows.map { 2e-10 + 2e-11 * $0 })
    ]
    table.rowWork = EngineOperator.allCases.map {
      KernelTable.RowWork(name: $0.rawValue, bytes: [1e3, 1e9], times: [1e-6, 0.1])
    }
    table.decodeAttention = KernelTable.DecodeAttention(start: 4e-6, pair: 2e-7, read: 5e-11, load: 1e-11, flop: 2e-11)
    table.prefillAttention = KernelTable.PrefillAttention(
      tileRows: Double(InstructionSet.best.tileRows), start: 3e-6, tile: 2e-6, flop: 1e-11)
    return table
  }

  private func measurement(_ shapes: [HostShape]) throws -> HostMeasurement {
    let formats = Formats(
      weights: .fp32, activations: .fp32, kv: .fp32, stream: .fp32, tables: .fp32)
    let samples = try shapes.flatMap { shape in
      let graph = try OperatorGraph(model: shape.architecture(), plan: Plan(formats: formats))
      return try HostStep.grid.map { step in
        let operators = try graph.operators(for: step.shape(graph.spans)).map {
          HostSample.Part(
            name: $0.name, calls: $0.count, seconds: try #require(Self.kernels.seconds($0)) * Double($0.count), noise: 0
          )
        }
        return HostSample(
          shape: shape, format: .f32, threads: 1, step: step,
          seconds: operators.reduce(1e-4) { $0 + $1.seconds }, operators: operators, noise: 0)
      }
    }
    return HostMeasurement(facts: HostFacts(), machine: MachineMeasurement(), samples: samples)
  }

  /// Through the real writers.
  private func write(_ measurement: HostMeasurement) throws {
    try files.writeRuntime(.f32)
    try HostFiles.write(Self.device, files.devicePath(1))
    _ = try HostCalibrator(files: files, date: "2026-01-01").write(measurement, .f32, threads: 1, noise: "None.")
  }

  @Test func `a fit finds a machine that follows the model, and its files predict other shapes`() throws {
    defer { try? FileManager.default.removeItem(atPath: files.folder) }
    try write(measurement(HostShape.fitted))
    let other = try measurement(HostShape.scored)
    let comparison = try HostComparison(other.samples, predictor: HostPredictor(files: files, shipped: shipped))
    let operators = try #require(comparison.operatorErrors(threads: 1))
    #expect(operators.count > 1000 && operators.median < 0.005 && operators.ninetieth < 0.02)
    let steps = try #require(comparison.stepErrors(threads: 1))
    #expect(steps.count == other.samples.count && steps.median < 0.005)
  }

  @Test func `nothing is fitted to shapes that are scored`() throws {
    defer { try? FileManager.default.removeItem(atPath: files.folder) }
    var measurement = try measurement(HostShape.fitted)
    try write(measurement)
    let alone = try files.calibration(.f32, 1).constants
    // Shapes that are scored take a thousand times as long: constants must not see it.
    measurement.samples += try self.measurement(HostShape.scored).samples.map { sample in
      var slow = sample
      slow.operators = sample.operators.map {
        HostSample.Part(name: $0.name, calls: $0.calls, seconds: 1000 * $0.seconds, noise: 0)
      }
      return slow
    }
    try write(measurement)
    #expect(try files.calibration(.f32, 1).constants.kernels == alone.kernels)
    #expect(HostShape.scored.allSatisfy { !$0.isFitted && !$0.deep(for: .q4One).isFitted })
    #expect(HostShape.fitted.allSatisfy { $0.isFitted && $0.deep(for: .q4One).isFitted })
  }

  @Test func `what was measured is kept and read again as it was`() throws {
    defer { try? FileManager.default.removeItem(atPath: files.folder) }
    var measurement = try measurement(Array(HostShape.scored.suffix(2)))
    measurement.machine.peaks = [.init(format: .fp32, threads: 1, rate: FLOPsPerSecond(1e11))]
    measurement.machine.bandwidths = [.init(threads: 2, workingSet: Bytes(4096), rate: BytesPerSecond(3e10))]
    measurement.machine.memoryNoise = 0.015
    try measurement.write(folder: files.folder)
    let again = try HostMeasurement(folder: files.folder)
    #expect(SampleTable.csv(again.samples) == SampleTable.csv(measurement.samples))
    #expect(again.samples.count == measurement.samples.count)
    #expect(again.facts.caches == measurement.facts.caches && again.facts.processor == measurement.facts.processor)
    #expect(again.machine.peak(.fp32, threads: 1).value == 1e11 && again.machine.memoryNoise == 0.015)
    #expect(again.machine.bandwidth(of: Bytes(4000), threads: 2).value == 3e10)
  }

  @Test func `a fault in kept measurements names the line and column`() throws {
    let text = SampleTable.csv(try measurement([HostShape.scored[0]]).samples).replacing("qkv_proj", with: "qkv_prof")
    #expect { try SampleTable.read(CSVReader(bytes: Array(text.utf8), file: "samples.csv")) } throws: {
      "\($0)".contains("samples.csv") && "\($0)".contains("operator") && "\($0)".contains("'qkv_prof'")
    }
  }

  @Test func `files that are not there name the command that writes them`() throws {
    #expect { try files.device(7) } throws: { "\($0)".contains("run 'ridgeline host calibrate' first") }
  }

  @Test func `errors are shares of what was measured`() throws {
    let pairs = [(1.0, 1.1), (2.0, 1.8), (4.0, 6.0)].map {
      HostErrors.Pair(measured: $0.0, predicted: $0.1, noise: 0.01)
    }
    let errors = try #require(HostErrors(pairs))
    #expect(errors.count == 3 && abs(errors.median - 0.1) < 1e-12)
    #expect(abs(errors.bias - (0.1 - 0.1 + 0.5) / 3) < 1e-12 && errors.noise == 0.01)
    #expect(HostErrors([]) == nil)
  }
}

@Suite struct HostBenchTests {
  /// Other tests run beside this one, so that many repeats are disturbed.
  @Test func `every step of every model has a time, and operators that make it up`() throws {
    let shapes = [64, 128].map {
      HostShape(hidden: $0, layers: 1, heads: 1, kvHeads: 1, network: 64, vocabulary: 64)
    }
    let steps = [HostStep.prefill(tokens: 16), .decode(sequences: 2, context: 20), .decode(sequences: 1, context: 40)]
    let samples = try HostBench(threads: 1, rounds: 1).run(shapes, .f32, steps: steps)
    #expect(samples.count == shapes.count * steps.count)
    for sample in samples {
      #expect(sample.seconds > 0 && sample.operators.contains { $0.name == "lm_head" && $0.seconds > 0 })
    }
  }
}

/// The real engine's serving, beside the simulator's.
@Suite struct EngineServerTests {
  private func engine() throws -> Engine {
    let shape = HostShape(hidden: 64, layers: 1, heads: 1, kvHeads: 1, network: 64, vocabulary: 64)
    return Engine(try shape.model(.f32), cacheBlocks: 400, pool: try WorkerPool())
  }

  @Test func `every request is served once, in order, within the budget`() throws {
    let engine = try engine()
    let requests = ServeCheck.requests(count: 12, rate: 1e4, vocabulary: 64, seed: 3)
    let outcome = try EngineServer(engine).run(requests)
    for (request, record) in zip(requests, outcome.records) {
      #expect(request.arrival < record.firstToken && record.firstToken < record.end)
    }
    #expect(outcome.steps.allSatisfy { $0.decodes + $0.promptTokens <= EngineServer.budget && $0.start < $0.end })
    #expect(outcome.steps.reduce(0) { $0 + $1.promptTokens } == requests.reduce(0) { $0 + $1.prompt.count })
    #expect(outcome.steps.reduce(0) { $0 + $1.decodes } == requests.reduce(0) { $0 + $1.outputs - 1 })
    let firsts = outcome.records.map(\.firstToken)
    #expect(firsts == firsts.sorted())
    #expect(engine.cache.freeBlocks == 400)
  }

  @Test func `the same seed gives the same requests`() {
    let (a, b) = (1...2).map { _ in ServeCheck.requests(count: 5, rate: 2, vocabulary: 9, seed: 4) }.pair
    #expect(zip(a, b).allSatisfy { $0.arrival == $1.arrival && $0.prompt == $1.prompt && $0.outputs == $1.outputs })
  }
}

extension Array {
  fileprivate var pair: (Element, Element) { (self[0], self[1]) }
}
