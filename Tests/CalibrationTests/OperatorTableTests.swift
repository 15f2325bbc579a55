@testable import Calibration
import CostModels
import Documents
import Execution
import Foundation
import ModelGraph
import TestSupport
import Testing

/// Operator tables become the operators a step would have, with their measured times.
@Suite struct OperatorTableTests {
  /// Rows of a table written out.
  static func rows(_ text: String, device: String? = nil) throws -> [MeasuredOperator] {
    let path = NSTemporaryDirectory() + "operators-\(UUID().uuidString).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try OperatorTable.read(path: path, device: device, library: Library(folder: Self.folder))
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  @Test func `a product has the FLOPs and bytes of its sizes, and narrow ones are quantised first`() throws {
    let rows = try Self.rows(
      """
      system,framework,dtype,m,n,k,latency_us
      h100_sxm,vllm-0.24.0,bfloat16,16,512,256,4.5
      h100_sxm,vllm-0.24.0,fp8,16,512,256,6.5
      """)
    #expect(rows.map(\.family) == [.gemm, .quantizedGEMM])
    #expect(rows[0].seconds == 4.5e-6 && rows[0].source == "vllm" && rows[0].device.name == "h100-sxm")
    let work = try #require(rows[0].parts.first)
    #expect(rows[0].parts.count == 1 && work.flops.value == product(2, 16, 512, 256))
    #expect(work.traffic.total.value == product(2, 16, 256) + product(2, 256, 512) + product(2, 16, 512))
    #expect(rows[1].parts.count == 2 && rows[1].parts[0].traffic.total.value == product(3, 16, 256))
  }

  @Test func `attention reads its cache in the format of the row`() throws {
    let decode = try Self.rows(
      """
      batch_size,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,kv_len,latency_us
      4,32,8,128,bfloat16,1000,20
      4,32,8,128,fp8,1000,20
      """, device: "h200-sxm")
    #expect(decode.map { $0.parts[0].traffic.kvRead.value } == [product(8, 1000, 8, 256), product(4, 1000, 8, 256)])
    let prefill = try Self.rows(
      """
      system,framework,batch_size,num_heads,kv_heads,head_dim,kv_cache_dtype,isl,latency_us
      a100_sxm,vllm-0.14.0,2,32,8,128,bfloat16,100,20
      """)
    #expect(prefill[0].parts[0].flops.value == product(2, 5050, 32, 4, 128))
  }

  @Test func `experts are those of the rank, loaded as the row says`() throws {
    let rows = try Self.rows(
      """
      system,kernel_source,moe_dtype,distribution,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,\
      num_tokens,latency_us
      h100_sxm,vllm_triton,bfloat16,balanced,1024,512,2,8,1,2,64,50
      h100_sxm,vllm_triton,bfloat16,power_law_1.2,1024,512,2,8,2,1,64,50
      """)
    #expect(
      rows[0].parts.map(\.name) == ["permute", "expert_gate_up", "expert_activation", "expert_down", "unpermute"])
    guard case .expertGEMM(let even) = rows[0].parts[1].kind, case .expertGEMM(let skewed) = rows[1].parts[1].kind
    else {
      Issue.record("not an expert product")
      return
    }
    #expect(even.activeExperts == 4 && even.visits == 64 && even.columns == 1024 && even.isExact)
    #expect(skewed.columns == 512 && !skewed.isExact && skewed.loads.max() > 2 * skewed.loads.min())
  }

  @Test func `messages launched one by one are left out, and exchanges span nodes`() throws {
    let messages = try Self.rows(
      """
      system,framework,kernel_source,op,num_gpus,message_bytes,latency_us
      h100_sxm,vllm-0.24.0,vLLM_custom_graph,all_reduce,4,1024,5
      h100_sxm,vllm-0.24.0,vLLM_custom_eager,all_reduce,4,1024,25
      h100_sxm,nccl-2.27.3,NCCL,reduce_scatter,4,1024,9
      """)
    #expect(messages.count == 1 && messages[0].group.isReference)
    let exchanges = try Self.rows(
      """
      system,node_num,hidden_size,num_token,num_topk,num_experts,dispatch_avg_t_us,combine_avg_t_us
      h100_sxm,2,7168,64,8,256,58,102
      """)
    #expect(exchanges.map(\.seconds) == [58e-6, 102e-6])
    #expect(exchanges[0].platform.perNode == 8 && exchanges[0].platform.nodePath != nil)
  }

  @Test(arguments: [
    ("a,b\n1,2\n", "is no operator table that is understood; its columns are a, b"),
    ("dtype,m,n,k,latency_us\nbfloat16,1,2,3,4\n", "has no column 'system'; name the device with --device"),
    ("system,dtype,m,n,k,latency_us\nh100_sxm,bf17,1,2,3,4\n", "expected bfloat16, fp8, fp8_block or w4a16_mxfp4"),
    ("system,dtype,m,n,k,latency_us\nh101_sxm,bfloat16,1,2,3,4\n", "did you mean"),
    ("system,dtype,m,n,k,latency_us\nh100_sxm,bfloat16,1,2,3,-4\n", "expected a number from 0.001"),
    ("system,dtype,m,n,k,latency_us\n", "has a header and no rows"),
  ])
  func `what is not understood is named`(text: String, problem: String) throws {
    let error = try #require(throws: DataError.self) { try Self.rows(text) }
    #expect("\(error)".contains(problem), "\(error)")
  }

  @Test func `a file that does not exist or is cut short says so`() throws {
    #expect(throws: DataError.self) {
      try OperatorTable.read(path: "/nowhere.csv.gz", device: nil, library: Library(folder: Self.folder))
    }
  }
}
