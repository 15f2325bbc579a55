import CostModels
import Documents
import EventKernel
import Execution
import Foundation
import ModelGraph
import TestSupport
import Testing
import Workloads

@testable import Calibration

@Suite struct ReplayTests {
  private func closedLoop(users: Int, requests: Int) -> ServedRun {
    let pace = ArrivalProcess.ClosedLoop(users: users, rampSeconds: 0, thinkTime: .fixed(seconds: 0))
    let lengths = TrafficClass.DrawnLengths(input: .fixed(20), output: .fixed(30))
    let traffic = Traffic(
      name: "loop", arrivals: ArrivalProcess(gaps: .exponential, pace: .closed(pace)),
      class: TrafficClass(lengths: .drawn(lengths)), requests: requests)
    return ServedRun(.traffic(traffic, count: requests))
  }

  private let batch = BatchCase(sequences: 1, inputTokens: 20, outputTokens: 30)

  @Test func `a closed loop of one has the latency of one request alone`() throws {
    let deployment = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "1 ms", "request_overhead": "3 ms"])
    let replay = try ServedReplay(deployment)
    let loop = MetricValues(meansOf: try replay.records(closedLoop(users: 1, requests: 25), batch))
    let alone = MetricValues(meansOf: try replay.records(ServedRun(.burst), batch))
    for metric in [Metric.endToEnd, .firstToken, .perToken] {
      let (found, expected) = (try #require(loop[metric]), try #require(alone[metric]))
      #expect(abs(found / expected - 1) < 1e-6)
    }
  }

  @Test func `first tokens take no less time with more clients`() throws {
    let deployment = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "1 ms"])
    let replay = try ServedReplay(deployment)
    let times = try [1, 2, 8, 32].map { users in
      try #require(
        MetricValues(meansOf: replay.records(closedLoop(users: users, requests: users * 10), batch))[.firstToken])
    }
    #expect(times == times.sorted())
  }

  @Test func `a burst ends with its last request`() throws {
    let deployment = try RoundDeployment.make(TinyModel.dense(), ["step_overhead": "1 ms"])
    let records = try ServedReplay(deployment).records(
      ServedRun(.burst), BatchCase(sequences: 7, inputTokens: 20, outputTokens: 30))
    #expect(records.count == 7)
    #expect(MetricValues(batchOf: records)[.endToEnd] == records.map { Double($0.endToEnd) / 1e9 }.max())
  }

  @Test func `the overhead with the least relative error is a weighted median`() {
    // Differences 1, 2, 10 with weights 1, 1/2, 1/20: half of the weight is reached at the first.
    #expect(PromptFit.overhead([(1, 0), (2, 0), (20, 10)]) == 1)
    #expect(PromptFit.overhead([(4, 1), (4, 2), (4, 3)]) == 2)
  }

  // MARK: Importers

  private func read(_ kind: DatasetKind, _ text: String, serving: String? = nil) throws -> [MeasuredRun] {
    let folder = FileManager.default.temporaryDirectory.path + "/replay-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try text.write(toFile: folder + "/data", atomically: true, encoding: .utf8)
    if let serving { try serving.write(toFile: folder + "/serving.yaml", atomically: true, encoding: .utf8) }
    return try kind.read(path: folder + "/data", serving: serving.map { _ in folder + "/serving.yaml" })
  }

  @Test func `only batches that overflow the cache are kept, as bursts`() throws {
    let runs = try read(
      .llmInferenceBenchOverflow,
      """
      device,device_count,framework,model,input_tokens,output_tokens,batch_size,latency_s,excluded_because
      A100,1,vLLM,m,128,128,1,2.5,
      A100,1,vLLM,m,2048,2048,64,300,KV cache exceeds memory: runs in waves
      A100,1,vLLM,m,2048,2048,32,300,outlier
      """)
    #expect(runs.map { $0.exclusion == nil } == [false, true, false])
  }

  private let serving = "model: m\nhardware: h\nruntime: vllm-v1\nmax_num_seqs: 128\n"

  @Test func `a log's clocks are set by the request that was queued soonest`() throws {
    let runs = try read(
      .vllmLog,
      """
      {"input_toks": 5, "output_toks": 3, "arrival_time": 1000.5, "queued_ts": 11.0, "first_token_ts": 12.0, "last_token_ts": 14.0}
      {"input_toks": 7, "output_toks": 1, "arrival_time": 1000.0, "queued_ts": 10.0, "first_token_ts": 10.25, "last_token_ts": 10.25}
      """, serving: serving)
    // The second line arrived first and was queued at once, so 1000 s is 10 s; the other waited half a second more.
    #expect(runs.map(\.batch.inputTokens) == [7, 5])
    #expect(runs[0].measured[.firstToken] == 0.25)
    #expect(runs[0].measured[.perToken] == nil)
    #expect(runs[1].measured[.firstToken] == 1.5)
    #expect(runs[1].measured[.perToken] == 1)
    #expect(runs[1].load.served?.position == 1)
    #expect(runs[1].load.served?.maxSequences == 128)
  }

  @Test func `a log needs to be told how it was served, and refuses times out of order`() throws {
    let line =
      #"{"input_toks": 5, "output_toks": 3, "arrival_time": 1, "queued_ts": 13, "first_token_ts": 12, "last_token_ts": 14}"#
    #expect(throws: DataError.self) { try read(.vllmLog, line) }
    #expect(throws: DataError.self) { try read(.vllmLog, line, serving: serving) }
    #expect(throws: DataError.self) { try read(.vllmLog, line, serving: serving + "max_seqs: 3\n") }
  }

  @Test func `stages of a vLLM run are read as rates for seconds`() throws {
    let header =
      "model,hardware,tp,precision,max_num_batched_tokens,max_num_seqs,gpu_kv_blocks,prefix_caching,num_system_prompts,"
      + "users_per_prompt,question_len,system_prompt_len,output_len,stages_rate_x_sec,actual_e2e_mean_ms,"
      + "actual_ttft_mean_ms,actual_itl_mean_ms\n"
    let row = "m,H100,2,FP16,2048,128,8000,True,9,5,447,100,248,STAGES,5270,62.7,21.2\n"
    let run = try read(.vllmRuns, header + row.replacingOccurrences(of: "STAGES", with: "2.5x600;6x600"))[0]
    #expect(run.batch.inputTokens == 547)
    #expect(run.measured[.perToken] == 0.0212)
    guard case .traffic(let traffic, let count)? = run.load.served?.requests else {
      Issue.record("no traffic")
      return
    }
    #expect(count == 5100)
    #expect(traffic.meanRate == 4.25)
    #expect(throws: DataError.self) {
      try read(.vllmRuns, header + row.replacingOccurrences(of: "STAGES", with: "2.5 for 600"))
    }
  }
}
