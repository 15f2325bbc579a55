import CostModels
import Documents
import Foundation
import ModelGraph
import Testing

@testable import Calibration

/// What public files and users' own say is read as they mean it, and faults are named by file, line and column.
@Suite struct ImporterTests {
  static func read(_ kind: DatasetKind, _ text: String) throws -> [MeasuredRun] {
    let path = FileManager.default.temporaryDirectory.path + "/measured-\(UUID().uuidString).csv"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try kind.read(path: path, serving: nil)
  }

  private func fault(_ kind: DatasetKind, _ text: String) -> String {
    do {
      _ = try Self.read(kind, text)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  @Test func `a table of batches gives latencies in seconds, and names the rows not to use`() throws {
    let runs = try Self.read(
      .llmInferenceBench,
      """
      device,device_count,framework,model,input_tokens,output_tokens,batch_size,latency_s,excluded_because
      A100,4,vLLM,m,128,256,16,2.5,
      A100,1,vLLM,m,128,128,1,0.5,a cold start
      """)
    #expect(runs.map(\.line) == [2, 3])
    #expect(runs[0].deviceCount == 4)
    #expect(runs[0].batch.sequences == 16 && runs[0].batch.inputTokens == 128 && runs[0].batch.outputTokens == 256)
    #expect(runs[0].measured[.endToEnd] == 2.5)
    #expect(runs[0].measured[.firstToken] == nil)
    #expect(runs.map(\.exclusion) == [nil, "a cold start"])
  }

  @Test func `a user's table may have any of the measured columns, and empty cells`() throws {
    let header = "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,ttft_s,tpot_s,power_w\n"
    let runs = try Self.read(.table, header + "h,1,r,m,10,20,1,0.25,,300\n")
    #expect(runs[0].measured[.firstToken] == 0.25)
    #expect(runs[0].measured[.perToken] == nil)
    #expect(runs[0].measured[.power] == 300)
  }

  @Test(arguments: [
    ("device,device_count,runtime,model,input_tokens,output_tokens,batch_size\nh,1,r,m,1,1,1\n", "no measured column"),
    ("device,runtime,model,input_tokens,output_tokens,batch_size,ttft_s\nh,r,m,1,1,1,1\n", "'device_count' is missing"),
    ("device,device_count,runtime,model,input_tokens,output_tokens,batch_size,ttft_s\n", "no rows"),
    (
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,ttft_s\nh,1,r,m,1,1,1,soon\n",
      "found 'soon'"
    ),
    (
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,ttft_s\nh,1,r,m,1,1,1,-2\n", "found -2"
    ),
    (
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,ttft_s\nh,1,r,m,0,1,1,1\n", "found 0"
    ),
    ("", "is empty"),
  ])
  func `a faulty table is refused with its place`(text: String, part: String) {
    let message = fault(.table, text)
    #expect(message.contains(".csv"), "\(message)")
    #expect(message.contains(part), "\(message)")
  }

  @Test func `mean power comes in milliwatts of runs with equal lengths`() throws {
    let runs = try Self.read(
      .llmInferenceBenchPower,
      """
      Hardware,Num of Hardware,Framework,Model,Input Output Length,Batch Size,Latency,Throughput,avg_power
      Nvidia A100 GPU,1,vLLM,m,1024,16,25,1308,292973.5
      """)
    #expect(runs[0].measured[.power] == 292.9735)
    #expect(runs[0].batch.inputTokens == 1024 && runs[0].batch.outputTokens == 1024)
  }

  @Test func `splitwise repeats become their median, and an impossible prompt time is dropped`() throws {
    let header = "model,hardware,prompt_size,batch_size,token_size,tensor_parallel,prompt_time,token_time\n"
    let runs = try Self.read(
      .splitwise,
      header + """
        m,a100-80gb,512,32,128,2,6633,50
        m,a100-80gb,512,32,128,2,6635,52
        m,a100-80gb,512,32,128,2,9999,51
        m,a100-80gb,512,64,128,2,794,70
        """)
    #expect(runs.count == 2)
    #expect(runs[0].measured[.firstToken] == 6.635)
    #expect(runs[0].measured[.perToken] == 0.051)
    // Twice the prompts cannot take an eighth of the time; the token times stay.
    #expect(runs[1].measured[.firstToken] == nil)
    #expect(runs[1].measured[.perToken] == 0.07)
  }

  private static let siliconHeader =
    "id,backend,backend_version,model_path,system,precision,isl,osl,gemm_quant_mode,moe_quant_mode,batch_size,conc,"
    + "tp_size,pp_size,attention_dp_size,moe_tp_size,moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n"

  private func silicon(_ middle: String) throws -> MeasuredRun {
    try Self.read(.silicon, Self.siliconHeader + "x,trtllm,1.0,m,b200_sxm,fp8,1024,512,fp8,fp8,\(middle),200,10\n")[0]
  }

  @Test func `degrees that count the spread of experts twice are divided by it, others may contradict`() throws {
    let plain = try silicon("16,64,4,1,1,4,1")
    #expect(plain.parallelism == Parallelism(tensor: 4))
    #expect(plain.batch.sequences == 64)
    #expect(plain.measured[.perToken] == 0.01)
    let twice = try silicon("16,64,64,1,1,8,8")
    #expect(twice.parallelism == Parallelism(tensor: 8, expert: 8))
    let data = try silicon("16,,1,1,16,4,4")
    #expect(data.parallelism == Parallelism(expert: 4, data: 4))
    // Without a concurrency, every rank has its batch.
    #expect(data.batch.sequences == 64)
    let odd = try silicon("16,64,4,1,1,2,1")
    #expect(odd.exclusion?.contains("contradicts") == true)
  }

  @Test func `a served row of the silicon sample sends ten requests for each client of one rank`() throws {
    let run = try Self.read(
      .siliconServed, Self.siliconHeader + "x,vllm,0.18,m,b200_sxm,fp8,1000,500,fp8,,8,64,1,1,4,1,4,200,10\n")[0]
    guard case .traffic(let traffic, let count)? = run.load.served?.requests else {
      Issue.record("no traffic")
      return
    }
    #expect(count == 160)
    #expect(traffic.requests == 160)
    #expect(run.formats.kv == .fp8)
    #expect(run.runtime == "vllm-v1")
  }

  @Test func `an unknown format of the silicon sample is refused`() {
    let row = "x,trtllm,1.0,m,b200_sxm,int3,1024,512,int3,fp8,16,64,4,1,1,4,1,200,10\n"
    let message = fault(.silicon, Self.siliconHeader + row)
    #expect(message.contains("found 'int3', expected fp8"), "\(message)")
  }
}
