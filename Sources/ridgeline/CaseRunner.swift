import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import Quantities
import Reporting

/// Prices a CSV of cases: the same rows come out with the prediction columns appended.
///
/// A faulty value ends the run with its line. A case that is well formed but cannot run (does not fit, cannot be
/// split so) keeps its row: prediction columns stay empty and `note` says why.
struct CaseRunner {
  let library: Library

  func run(input: String, output: String?) throws {
    try OutputFile.refuse(output, replacing: input)
    let csv = try CSVReader(path: input)
    let columns = try CaseColumns(csv)
    let file = try output.map { try OutputFile(path: $0) }
    var pricer = CasePricer(library: library, columns: columns)
    var text = header(csv)
    var count = 0
    var unpriced = 0
    let size = fileSize(input)
    var progress = ProgressBar("pricing", total: max(1, size))
    var bytes = 0
    while try csv.next() {
      let cells = try pricer.cells(csv)
      if cells.last != .missing { unpriced += 1 }
      let line = try passedThrough(csv) + "," + MachineRenderer.csvLine(cells)
      text += line
      bytes += line.utf8.count / 2
      count += 1
      if count % 1000 == 0 {
        progress.update(min(bytes, size))
        if let file {
          try file.write(text)
          text = ""
        }
        if Interrupt.wanted { break }
      }
    }
    guard count > 0 else { throw DataError(file: input, problem: "has a header and no cases") }
    progress.finish(size)
    try finish(text, file)
    if unpriced > 0 { standardError("\(unpriced) of \(count) cases cannot run; see their note") }
    if Interrupt.wanted { throw Interrupted(description: "interrupted after \(count) cases, which are kept") }
  }

  private func finish(_ text: String, _ file: OutputFile?) throws {
    guard let file else {
      try standardOutput(text)
      return
    }
    try file.write(text)
    try file.finish()
    standardError("wrote \(file.path)")
  }

  private func fileSize(_ path: String) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 1
  }

  /// The input's header with the prediction columns; a name that is taken gets the prefix `predicted_`.
  private func header(_ csv: CSVReader) -> String {
    let names = (PredictionTable.columns.map(\.name) + ["note"]).map { name in
      csv.header.contains(name) ? "predicted_" + name : name
    }
    return (csv.header + names).map(MachineRenderer.quoted).joined(separator: ",") + "\n"
  }

  private func passedThrough(_ csv: CSVReader) throws -> String {
    try csv.header.indices.map { MachineRenderer.quoted(try csv.text($0)) }.joined(separator: ",")
  }
}

/// Where a case file keeps what.
struct CaseColumns {
  let device: Int
  let count: Int
  let runtime: Int
  let model: Int
  let input: Int
  let output: Int
  let batch: Int
  let formats: [Int?]
  let degrees: [Int?]

  static let optional = ["weights_format", "activations_format", "kv_format", "tp", "pp", "ep", "dp"]

  init(_ csv: CSVReader) throws {
    device = try csv.column("device")
    count = try csv.column("device_count")
    // Measured tables call it `framework`.
    runtime = try csv.header.firstIndex(of: "framework") ?? csv.column("runtime")
    model = try csv.column("model")
    input = try csv.column("input_tokens")
    output = try csv.column("output_tokens")
    batch = try csv.column("batch_size")
    func find(_ names: ArraySlice<String>) -> [Int?] { names.map { csv.header.firstIndex(of: $0) } }
    formats = find(Self.optional[..<3])
    degrees = find(Self.optional[3...])
    for name in csv.header where !Self.optional.contains(name) {
      if let meant = nearestName(to: name, among: Self.optional), csv.header.firstIndex(of: meant) == nil,
        name.count > 2
      {
        standardError("Note: column '\(name)' is passed through unread; did you mean '\(meant)'?")
      }
    }
  }
}

/// Prices the cases of one file, keeping what cases share.
struct CasePricer {
  let library: Library
  let columns: CaseColumns
  private var predictors: [Key: Result<Predictor, InfeasibleCase>] = [:]

  init(library: Library, columns: CaseColumns) {
    self.library = library
    self.columns = columns
  }

  private struct Key: Hashable {
    var request: Library.Request
    var count: Int
  }

  /// A case that means something and cannot run.
  private struct InfeasibleCase: Error { let reason: String }

  /// The prediction columns and the note of the current row.
  mutating func cells(_ csv: CSVReader) throws -> [ResultTable.Cell] {
    let batch = BatchCase(
      sequences: try csv.int(columns.batch, in: BatchCase.sequenceRange),
      inputTokens: try csv.int(columns.input, in: BatchCase.tokenRange),
      outputTokens: try csv.int(columns.output, in: BatchCase.tokenRange))
    let key = try key(csv)
    if predictors[key] == nil { predictors[key] = try predictor(key, csv) }
    do {
      guard let predictor = try predictors[key]?.get() else { return [] }
      let prediction = try predictor.predict(batch, overflow: .waves)
      return PredictionTable.cells(prediction, predictor.deployment, batch) + [.missing]
    } catch let error as InfeasibleCase {
      return empty(error.reason)
    } catch let error as PredictionError {
      return empty(error.description)
    }
  }

  private func empty(_ reason: String) -> [ResultTable.Cell] {
    PredictionTable.columns.map { _ in .missing } + [.text(reason)]
  }

  private func key(_ csv: CSVReader) throws -> Key {
    let formats = try columns.formats.map { column -> NumberFormat? in
      guard let column, !csv.isEmpty(column) else { return nil }
      let text = try csv.text(column)
      guard let format = NumberFormat(rawValue: text.lowercased()) else {
        let names = NumberFormat.allCases.map(\.rawValue)
        throw csv.error(
          column, "found \(shown(text)), expected one of \(names.joined(separator: ", "))",
          nearest: nearestName(to: text, among: names))
      }
      return format
    }
    let degrees = try columns.degrees.map { column -> Int? in
      guard let column, !csv.isEmpty(column) else { return nil }
      return try csv.int(column, in: 1...4096)
    }
    let count = try csv.int(columns.count, in: 1...65_536)
    let ranks = try count * dies(csv)
    let parallelism = Parallelism(
      tensor: degrees[0] ?? ranks / (degrees[1] ?? 1) / (degrees[3] ?? 1), pipeline: degrees[1] ?? 1,
      expert: degrees[2] ?? 1, data: degrees[3] ?? 1)
    guard parallelism.devices == ranks else {
      throw csv.error(columns.count, "found \(ranks), expected \(parallelism.devices) = tp x pp x dp of the row")
    }
    return Key(
      request: Library.Request(
        model: try csv.text(columns.model), hardware: try csv.text(columns.device),
        runtime: try csv.text(columns.runtime),
        formats: FormatRequest(weights: formats[0], activations: formats[1], kv: formats[2]), parallelism: parallelism),
      count: count)
  }

  /// Ranks in one package of the row's device; an unknown device is refused where it is resolved.
  private func dies(_ csv: CSVReader) throws -> Int {
    do {
      return try library.platforms.find(csv.text(columns.device)).dies
    } catch is UnknownName, is UnsuitableDevice {
      return 1
    }
  }

  private func predictor(_ key: Key, _ csv: CSVReader) throws -> Result<Predictor, InfeasibleCase> {
    do {
      return .success(Predictor(try library.deployment(key.request)))
    } catch let unknown as UnknownName {
      let column =
        [
          "model": columns.model, "runtime": columns.runtime,
        ][unknown.title] ?? columns.device
      throw csv.error(column, unknown.description)
    } catch  where Failure.isPlanFault(error) {
      return .failure(InfeasibleCase(reason: "\(error)"))
    }
  }
}
