import Documents

/// The formats of measured data that are understood.
package enum DatasetKind: String, CaseIterable, Sendable {
  case llmInferenceBench = "llm-inference-bench"
  case llmInferenceBenchPower = "llm-inference-bench-power"
  case splitwise
  case silicon
  case llmInferenceBenchOverflow = "llm-inference-bench-overflow"
  case siliconServed = "silicon-served"
  case vllmRuns = "vllm-runs"
  case vllmLog = "vllm-log"
  case operators
  case table = "csv"

  /// What the format is, in a line.
  package var title: String {
    switch self {
    case .llmInferenceBench:
      "argonne-lcf/LLM-Inference-Bench: end-to-end latency of static batches, and times to first token"
    case .llmInferenceBenchPower: "argonne-lcf/LLM-Inference-Bench: mean board power of static batches"
    case .splitwise: "Mutinifni/splitwise-sim: prompt and token times of Llama-2-70B"
    case .silicon: "ai-dynamo/aiconfigurator silicon sample: TPOT and TTFT under a fixed concurrency"
    case .llmInferenceBenchOverflow:
      "argonne-lcf/LLM-Inference-Bench: batches whose cache exceeds memory, replayed in the serving engine"
    case .siliconServed:
      "ai-dynamo/aiconfigurator silicon sample: the same with queueing, replayed in the serving engine"
    case .vllmRuns: "inference-sim, public training split: mean latencies of served vLLM runs, replayed"
    case .vllmLog: "log of requests served by vLLM (JSON lines), replayed; --serving says how it was served"
    case .operators:
      "ai-dynamo/aiconfigurator silicon sample: operator tables, plain or gzip"
    case .table:
      "your own: device,device_count,runtime,model,input_tokens,output_tokens,batch_size and latency_s, ttft_s or tpot_s"
    }
  }

  /// Whose data it is, and its licence.
  package var source: String {
    switch self {
    case .llmInferenceBench, .llmInferenceBenchPower, .llmInferenceBenchOverflow:
      "argonne-lcf/LLM-Inference-Bench, BSD-3"
    case .splitwise: "Mutinifni/splitwise-sim, MIT"
    case .silicon, .siliconServed, .operators: "ai-dynamo/aiconfigurator, Apache-2.0"
    case .vllmRuns: "inference-sim public training split, Apache-2.0"
    case .table, .vllmLog: "the user's own"
    }
  }

  /// What a fit to the data determines.
  package enum Scope: Sendable {
    /// Steps of each device under each runtime.
    case steps
    /// Steps of a maker's devices under each runtime, where each device has run too few models for a fit of its own.
    case served
    /// Power of a class of devices.
    case power
    /// Steps of each device under each runtime, and what a request costs besides, by replaying served runs.
    case replayed
  }

  package var scope: Scope {
    switch self {
    case .llmInferenceBench, .llmInferenceBenchOverflow, .splitwise, .operators, .table: .steps
    case .silicon, .siliconServed: .served
    case .vllmRuns, .vllmLog: .replayed
    case .llmInferenceBenchPower: .power
    }
  }

  /// What is left out in turn to state a fit's error.
  package var fold: FoldedFit.Fold {
    switch self {
    case .llmInferenceBench, .llmInferenceBenchOverflow, .llmInferenceBenchPower, .operators, .table: .model
    case .splitwise: .batch
    case .silicon, .siliconServed: .quarter
    case .vllmRuns, .vllmLog: .run
    }
  }

  /// Reads one file.
  /// - Parameter serving: For formats that do not say how requests were served, the file that does.
  /// - Throws: `DataError` naming line and column of what does not fit the format.
  package func read(path: String, serving: String? = nil) throws -> [MeasuredRun] {
    switch self {
    case .llmInferenceBench:
      try CSVReader(path: path).header.contains(FirstTokenImporter.mark)
        ? FirstTokenImporter.read(path: path) : BatchTableImporter.read(path: path, runtimeColumn: "framework")
    case .llmInferenceBenchPower: try PowerImporter.read(path: path)
    case .splitwise: try SplitwiseImporter.read(path: path)
    case .silicon: try SiliconImporter.read(path: path)
    case .llmInferenceBenchOverflow: try OverflowImporter.read(path: path)
    case .siliconServed: try ServedSiliconImporter.read(path: path)
    case .vllmRuns: try VLLMRunsImporter.read(path: path)
    case .vllmLog:
      try VLLMLogImporter.read(path: path, serving: VLLMLogImporter.Serving(path: servingFile(serving, of: path)))
    case .operators: throw DataError(file: path, problem: "holds operators, which are read by OperatorTable")
    case .table: try BatchTableImporter.read(path: path, runtimeColumn: "runtime")
    }
  }

  private func servingFile(_ file: String?, of log: String) throws -> String {
    guard let file else {
      throw DataError(
        file: log, problem: "does not say how its requests were served; name a file that does (--serving)")
    }
    return file
  }
}
