import CostModels
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

  /// A machine of round numbers, through the real writer.
  private func write(_ samples: [HostSample]) throws {
    try files.writeRuntime(.f32)
    try FileManager.default.createDirectory(atPath: files.folder + "/Devices", withIntermediateDirectories: true)
    try HostFiles.write(Self.device, files.devicePath(1))
    _ = try HostCalibrator(files: files, shipped: shipped, date: "2026-01-01")
      .write(samples, .f32, threads: 1, noise: "None.")
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

  /// Steps whose operators take exactly what known constants say.
  private func samples() throws -> [HostSample] {
    try files.writeRuntime(.f32)
    try HostFiles.write(Self.device, files.devicePath(1))
    let device = try files.device(1)
    var constants = try CalibrationChoice(
      device: device, runtime: "reference-engine-f32", from: shipped, folder: "Calibrations"
    ).constants
    constants[.gemmCompute] = 0.9
    constants[.gemmMemory] = 0.7
    constants[.elementwiseStart] = 2e-6
    let pricer = OperatorPricer(platform: HostPredictor.platform(device), constants: constants)
    let formats = Formats(all: .fp32)
    return try HostShape.fitted.flatMap { shape in
      let graph = try OperatorGraph(model: shape.architecture(), plan: Plan(formats: formats))
      return HostStep.grid.map { step in
        let operators = graph.operators(for: step.shape(graph.spans)).map {
          (name: $0.name, calls: $0.count, seconds: pricer.price($0).time.value * Double($0.count))
        }
        return HostSample(
          shape: shape, format: .f32, threads: 1, step: step,
          seconds: operators.reduce(1e-4) { $0 + $1.seconds }, operators: operators, noise: 0, formats: formats)
      }
    }
  }

  @Test func `a fit finds a machine that follows the model, and its files predict it`() throws {
    defer { try? FileManager.default.removeItem(atPath: files.folder) }
    let samples = try samples()
    try write(samples)
    let comparison = try HostComparison(samples, predictor: HostPredictor(files: files, shipped: shipped))
    let operators = try #require(comparison.operatorErrors(threads: 1))
    #expect(operators.median < 0.03)
    let steps = try #require(comparison.stepErrors(threads: 1))
    #expect(steps.count == samples.count && steps.median < 0.03)
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

/// The real engine's serving, beside the simulator's.
@Suite struct EngineServerTests {
  private func engine() throws -> Engine {
    let shape = HostShape(hidden: 64, layers: 1, heads: 1, kvHeads: 1, network: 64, vocabulary: 64)
    return Engine(try shape.model(.f32), cacheBlocks: 400, pool: try WorkerPool(), clock: .thread)
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
