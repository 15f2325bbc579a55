/// Reads the rows of llm_inference_bench.csv that are set aside because their cache exceeds memory: batches that arrive
/// at once and are served in turns.
enum OverflowImporter {
  private static let mark = "KV cache exceeds memory"

  static func read(path: String) throws -> [MeasuredRun] {
    try BatchTableImporter.read(path: path, runtimeColumn: "framework").map { run in
      var run = run
      run.load = .served(ServedRun(.burst))
      run.exclusion = run.exclusion?.hasPrefix(mark) == true ? nil : run.exclusion ?? "fits into memory"
      return run
    }
  }
}
