import Documents

/// The formats of measured data that are understood.
package enum DatasetKind: String, CaseIterable, Sendable {
  case llmInferenceBench = "llm-inference-bench"
  case llmInferenceBenchPower = "llm-inference-bench-power"
  case splitwise
  case silicon
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
    case .operators:
      "ai-dynamo/aiconfigurator silicon sample: operator tables, plain or gzip"
    case .table:
      "your own: device,device_count,runtime,model,input_tokens,output_tokens,batch_size and latency_s, ttft_s or tpot_s"
    }
  }

  /// Whose data it is, and its licence.
  package var source: String {
    switch self {
    case .llmInferenceBench, .llmInferenceBenchPower: "argonne-lcf/LLM-Inference-Bench, BSD-3"
    case .splitwise: "Mutinifni/splitwise-sim, MIT"
    case .silicon, .operators: "ai-dynamo/aiconfigurator, Apache-2.0"
    case .table: "the user's own"
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
  }

  package var scope: Scope {
    switch self {
    case .llmInferenceBench, .splitwise, .operators, .table: .steps
    case .silicon: .served
    case .llmInferenceBenchPower: .power
    }
  }

  /// What is left out in turn to state a fit's error.
  package var fold: FoldedFit.Fold {
    switch self {
    case .llmInferenceBench, .llmInferenceBenchPower, .operators, .table: .model
    case .splitwise: .batch
    case .silicon: .quarter
    }
  }

  /// Reads one file.
  /// - Throws: `DataError` naming line and column of what does not fit the format.
  package func read(path: String) throws -> [MeasuredRun] {
    switch self {
    case .llmInferenceBench:
      try CSVReader(path: path).header.contains(FirstTokenImporter.mark)
        ? FirstTokenImporter.read(path: path) : BatchTableImporter.read(path: path, runtimeColumn: "framework")
    case .llmInferenceBenchPower: try PowerImporter.read(path: path)
    case .splitwise: try SplitwiseImporter.read(path: path)
    case .silicon: try SiliconImporter.read(path: path)
    case .operators: throw DataError(file: path, problem: "holds operators, which are read by OperatorTable")
    case .table: try BatchTableImporter.read(path: path, runtimeColumn: "runtime")
    }
  }
}
