import Documents
import Execution

/// Reads tables of static batches, one a row: the layout of llm_inference_bench.csv, and users' own.
///
/// Latency is of the whole batch, in seconds. `excluded_because`, where there is such a column, names rows not to use.
enum BatchTableImporter {
  static func read(path: String, runtimeColumn: String) throws -> [MeasuredRun] {
    let csv = try CSVReader(path: path)
    let columns = try BatchColumns(csv, runtime: runtimeColumn)
    var runs: [MeasuredRun] = []
    while try csv.next() { runs.append(try columns.run(csv)) }
    guard !runs.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return runs
  }
}

/// Where a table keeps what.
private struct BatchColumns {
  let device: Int
  let count: Int
  let runtime: Int
  let model: Int
  let input: Int
  let output: Int
  let batch: Int
  let exclusion: Int?
  /// Measured columns that the file has.
  let metrics: [(Metric, Int)]

  static let measured: [(Metric, String)] = [
    (.endToEnd, "latency_s"), (.firstToken, "ttft_s"), (.perToken, "tpot_s"), (.power, "power_w"),
  ]

  init(_ csv: CSVReader, runtime: String) throws {
    device = try csv.column("device")
    count = try csv.column("device_count")
    self.runtime = try csv.column(runtime)
    model = try csv.column("model")
    input = try csv.column("input_tokens")
    output = try csv.column("output_tokens")
    batch = try csv.column("batch_size")
    exclusion = csv.header.firstIndex(of: "excluded_because")
    metrics = Self.measured.compactMap { metric, name in csv.header.firstIndex(of: name).map { (metric, $0) } }
    guard !metrics.isEmpty else {
      let names = Self.measured.map(\.1).joined(separator: ", ")
      throw DataError(file: csv.file, line: 1, problem: "has no measured column; expected one of \(names)")
    }
  }

  func run(_ csv: CSVReader) throws -> MeasuredRun {
    var run = MeasuredRun(
      file: csv.file, line: csv.line, device: try csv.text(device), deviceCount: try csv.int(count, in: 1...65_536),
      runtime: try csv.text(runtime), model: try csv.text(model),
      batch: BatchCase(
        sequences: try csv.int(batch, in: BatchCase.sequenceRange),
        inputTokens: try csv.int(input, in: BatchCase.tokenRange),
        outputTokens: try csv.int(output, in: BatchCase.tokenRange)),
      measured: MetricValues())
    for (metric, column) in metrics where !csv.isEmpty(column) {
      run.measured[metric] = try csv.double(column, in: 1e-9...1e9)
    }
    if let exclusion, !csv.isEmpty(exclusion) { run.exclusion = try csv.text(exclusion) }
    return run
  }
}
