import Documents
import ModelGraph
import Quantities
import ReferenceEngine
import Reporting

/// Measured steps as a CSV file, one row an operator, so that they can be fitted and scored again without the machine.
package enum SampleTable {
  private static let shapeColumns = [
    "hidden", "layers", "heads", "kv_heads", "network", "experts", "experts_per_token", "vocabulary",
  ]
  private static let columns =
    shapeColumns + [
      "format", "threads", "phase", "sequences", "tokens", "step_s", "step_noise", "operator", "calls", "operator_s",
      "operator_noise",
    ]

  // MARK: Writing

  package static func csv(_ samples: [HostSample]) -> String {
    var table = ResultTable(columns: columns.map { ResultTable.Column($0) })
    for sample in samples {
      for item in sample.operators { table.append(row(sample, item)) }
    }
    return MachineRenderer.csv(table)
  }

  private static func row(_ sample: HostSample, _ item: HostSample.Part) -> [ResultTable.Cell] {
    let shape = sample.shape
    let (phase, sequences, tokens) = sample.step.fields
    let numbers = [
      shape.hidden, shape.layers, shape.heads, shape.kvHeads, shape.network, shape.experts, shape.expertsPerToken,
      shape.vocabulary,
    ]
    return numbers.map(ResultTable.Cell.int) + [
      .text(sample.format.rawValue), .int(sample.threads), .text(phase), .int(sequences), .int(tokens),
      .number(sample.seconds), .number(sample.noise), .text(item.name), .int(item.calls), .number(item.seconds),
      .number(item.noise),
    ]
  }

  // MARK: Reading

  /// - Throws: `DataError`, naming the line and column at fault.
  package static func read(path: String) throws -> [HostSample] { try read(CSVReader(path: path)) }

  package static func read(_ csv: CSVReader) throws -> [HostSample] {
    let columns = try columns.map(csv.column)
    var samples: [HostSample] = []
    while try csv.next() {
      let sample = try sample(csv, columns)
      if let last = samples.indices.last, samples[last].isCase(of: sample) {
        samples[last].operators += sample.operators
      } else {
        samples.append(sample)
      }
    }
    return samples
  }

  private static func sample(_ csv: CSVReader, _ columns: [Int]) throws -> HostSample {
    func count(_ name: String, _ range: ClosedRange<Int>) throws -> Int { try csv.int(column(name), in: range) }
    func number(_ name: String) throws -> Double { try csv.double(column(name), in: 0...1e6) }
    func column(_ name: String) throws -> Int { try csv.column(name) }
    let shape = HostShape(
      hidden: try count("hidden", 16...65_536), layers: try count("layers", 1...1000),
      heads: try count("heads", 1...4096), kvHeads: try count("kv_heads", 1...4096),
      network: try count("network", 16...1_000_000), vocabulary: try count("vocabulary", 1...1_000_000),
      experts: try count("experts", 0...1024), expertsPerToken: try count("experts_per_token", 0...1024))
    let format = try choice(csv, column("format"), WeightFormat.allCases)
    let phase = try csv.text(column("phase"))
    let (sequences, tokens) = (try count("sequences", 1...4096), try count("tokens", 1...1_000_000))
    guard let step = HostStep(phase: phase, sequences: sequences, tokens: tokens) else {
      throw csv.error(try column("phase"), "found '\(phase)', expected decode or prefill")
    }
    let operation = try choice(csv, column("operator"), EngineOperator.allCases)
    let part = HostSample.Part(
      name: operation.rawValue, calls: try count("calls", 1...1_000_000), seconds: try number("operator_s"),
      noise: try number("operator_noise"))
    return HostSample(
      shape: shape, format: format, threads: try count("threads", 1...1024), step: step,
      seconds: try number("step_s"), operators: [part], noise: try number("step_noise"))
  }

  private static func choice<Value: RawRepresentable<String>>(
    _ csv: CSVReader, _ column: Int, _ all: [Value]
  ) throws -> Value {
    let text = try csv.text(column)
    guard let value = all.first(where: { $0.rawValue == text }) else {
      throw csv.error(column, "found '\(text)', expected one of \(all.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }
}

extension HostSample {
  /// Whether it measures the same step of the same model.
  fileprivate func isCase(of other: HostSample) -> Bool {
    shape == other.shape && format == other.format && threads == other.threads && step == other.step
      && !operators.contains { $0.name == other.operators[0].name }
  }
}

extension HostStep {
  fileprivate var fields: (phase: String, sequences: Int, tokens: Int) {
    switch self {
    case .prefill(let tokens): ("prefill", 1, tokens)
    case .decode(let sequences, let context): ("decode", sequences, context)
    }
  }

  fileprivate init?(phase: String, sequences: Int, tokens: Int) {
    switch phase {
    case "prefill": self = .prefill(tokens: tokens)
    case "decode": self = .decode(sequences: sequences, context: tokens)
    default: return nil
    }
  }
}
