import CostModels
import EventKernel
import Execution
import Statistics
import TestSupport
import Testing

@testable import Calibration

/// What a fold holds out has no say in what is predicted for it, and intervals cover what they promise.
@Suite struct FoldTests {
  private static let header = "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,latency_s\n"

  /// Rows of two models on one device whose latencies are those of the library, each step longer by a time.
  private func rows(extra: Double, spoiling model: String = "") throws -> String {
    var text = Self.header
    for name in ["opt-125m", "llama-3.1-8b"] {
      let predictor = Predictor(try Repository.deployment(name, on: "h100-sxm"))
      for (batch, output) in [(1, 16), (1, 64), (8, 32), (32, 64)] {
        let one = BatchCase(sequences: batch, inputTokens: 128, outputTokens: output)
        let time = try predictor.predict(one, overflow: .waves).endToEnd.value + extra * Double(output)
        text += "h100-sxm,1,vllm-v1,\(name),128,\(output),\(batch),\(name == model ? time * 9 : time)\n"
      }
    }
    return text
  }

  private func fits(_ text: String) throws -> FoldedFit {
    let library = try Library(folder: OperatorTableTests.folder)
    var fits = FoldedFit(
      try PreparedRuns(ImporterTests.read(.table, text), library: library), library: library, kind: .table)
    fits.fit.constants = [FittedConstant(.stepOverhead, 1e-6...1, expected: 1e-3, spread: 3)]
    fits.fit.starts = 1
    return fits
  }

  @Test func `a fit to one model finds the time of a step that the other's rows show`() throws {
    let fits = try fits(try rows(extra: 5e-3))
    let predicted = try fits.predictions(leavingOut: .model)
    for (row, values) in zip(fits.set.runs, predicted) {
      let (found, expected) = (try #require(values[.endToEnd]), try #require(row.run.measured[.endToEnd]))
      #expect(abs(found / expected - 1) < 0.02, "\(row.model) \(found) \(expected)")
    }
  }

  @Test func `measurements of a model that is left out do not change what is predicted for it`() throws {
    let plain = try fits(try rows(extra: 2e-3))
    let spoilt = try fits(try rows(extra: 2e-3, spoiling: "opt-125m"))
    let (before, after) = (
      try plain.predictions(leavingOut: .model), try spoilt.predictions(leavingOut: .model)
    )
    for (index, row) in plain.set.runs.enumerated() {
      #expect((before[index] == after[index]) == (row.model == "opt-125m"), "\(row.model)")
    }
  }

  // MARK: Parts

  private func prepared(
    _ count: Int, device: String = "round", model: Int = 2, batch: Int = 1, measured: Double = 1
  ) throws -> [PreparedRun] {
    var round = RoundDevice()
    round.name = device
    let deployment = try RoundDeployment.make(TinyModel.dense(layers: model), on: round)
    return (0..<count).map { line in
      PreparedRun(
        MeasuredRun(
          file: "made", line: line, device: device, deviceCount: 1, runtime: "vllm-v1", model: "tiny",
          batch: BatchCase(sequences: batch, inputTokens: 128, outputTokens: 1),
          measured: MetricValues(endToEnd: measured)),
        deployment, slot: 0)
    }
  }

  @Test func `models are dealt to four parts of like size, an architecture whole`() throws {
    let counts = [9, 8, 5, 4, 3, 3]
    let rows = try counts.enumerated().flatMap { try prepared($1, model: $0 + 1) }
    let quarters = ModelQuarters(rows)
    let parts = FoldedFit.grouped(rows, by: quarters.name)
    #expect(parts.map(\.members.count).sorted() == [7, 8, 8, 9])
    for model in FoldedFit.grouped(rows, by: \.architecture) {
      #expect(Set(model.members.map(quarters.name)).count == 1)
    }
  }

  @Test func `rows of the largest batch are at the edge, others in the middle`() throws {
    let rows = try [1, 4, 16].flatMap { try prepared(1, batch: $0) }
    let edges = EdgeRows(rows, group: { _ in "all" })
    #expect(rows.map(edges.part) == ["middle", "middle", "edge"])
    let alike = try prepared(3, batch: 4)
    #expect(alike.map(EdgeRows(alike, group: { _ in "all" }).part) == ["middle", "middle", "middle"])
  }

  // MARK: Errors

  @Test func `errors are summed up as shares of the measured value`() throws {
    let summary = try #require(ErrorSummary(ratios: [0.5, 1, 1.25, 1.5, 2]))
    #expect(abs(summary.mean - 0.45) < 1e-12)
    #expect(summary.median == 0.5)
    #expect(abs(summary.bias - 0.25) < 1e-12)
    #expect(ErrorSummary(ratios: []) == nil)
  }

  // MARK: Intervals

  @Test func `intervals from errors of the same kind cover about nine in ten`() throws {
    let rows = try (0..<20).flatMap { try prepared(20, model: $0 + 1) }
    var lots = RandomStream(seed: 7, name: "errors")
    let predicted = rows.map { _ in MetricValues(endToEnd: PortableMath.exp(0.3 * (lots.uniform() - 0.5))) }
    let fit = IntervalFit(rows, predicted, group: { _ in "all" }, part: \.architecture)
    let covered = try #require(fit.coverage(.endToEnd))
    #expect(covered.rows == 400)
    #expect(abs(covered.share - 0.9) < 0.04)
    let factor = try #require(fit.factor(.endToEnd, group: "all"))
    #expect(abs(factor - PortableMath.exp(0.135)) < 0.01)
  }

  @Test func `too few errors promise nothing`() throws {
    let rows = try prepared(8)
    let fit = IntervalFit(
      rows, rows.map { _ in MetricValues(endToEnd: 1.1) }, group: { _ in "all" }, part: { _ in "part" })
    #expect(fit.factor(.endToEnd, group: "all") == nil)
    #expect(fit.coverage(.endToEnd) == nil)
  }

  @Test func `how far a new device leans is told by the devices, not by their rows`() throws {
    // Leans 0, 0.1 and 0.2: mean 0.1, deviation 0.1; t of two degrees at 90 % is 2.920, and 0.1 + 2.920 x 0.1 x
    // sqrt(4/3) is 0.4372.
    for rows in [20, 200] {
      let groups = [0, 0.1, 0.2].map { Array(repeating: $0, count: rows) }
      #expect(abs(try #require(NewGroup.bound(groups, level: 0.9)) - 0.4372) < 1e-3)
    }
    #expect(NewGroup.bound([[0, 0.1], [0.2]], level: 0.9) == nil)
  }

  @Test func `a new device gets the wider interval, a new model of known devices does not`() throws {
    let leans = ["one": 1.0, "two": 1.2, "three": 0.8]
    let rows = try leans.keys.sorted().flatMap { try prepared(30, device: $0) }
    let predicted = rows.map { MetricValues(endToEnd: leans[$0.device]) }
    let known = IntervalFit(rows, predicted, group: { _ in "all" }, part: \.device)
    let new = IntervalFit(rows, predicted, group: { _ in "all" }, part: \.device, isNewPart: true)
    let (narrow, wide) = (
      try #require(known.factor(.endToEnd, group: "all")), try #require(new.factor(.endToEnd, group: "all"))
    )
    #expect(narrow < 1.3 && wide > 1.5)
  }
}
