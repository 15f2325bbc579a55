import CostModels
import Documents
import Execution
import Hardware
import ModelGraph
import Quantities

/// Reads the operator tables of aiconfigurator's silicon sample, plain or compressed: GEMM, attention, fused experts,
/// collectives and expert exchanges, told apart by their columns.
package struct OperatorTable {
  private let library: Library
  private let csv: CSVReader
  private let path: String
  /// Of files that name no system.
  private let deviceName: String?
  private var platforms: [String: Platform] = [:]

  /// Reads one file.
  /// - Parameter device: The device of files that have no `system` column.
  /// - Throws: `DataError` naming line and column of what does not fit the format.
  package static func read(path: String, device: String?, library: Library) throws -> [MeasuredOperator] {
    var table = try OperatorTable(path: path, device: device, library: library)
    return try table.rows()
  }

  private init(path: String, device: String?, library: Library) throws {
    self.path = path
    self.library = library
    deviceName = device
    csv = try CSVReader(bytes: CompressedFile.bytes(path: path), file: path)
  }

  private mutating func rows() throws -> [MeasuredOperator] {
    let has = Set(csv.header).contains
    let read: (Platform) throws -> [MeasuredOperator]
    if has("m"), has("n"), has("k") {
      read = try gemm()
    } else if has("phase"), has("step") {
      read = try latent()
    } else if has("kv_len") {
      read = try decode()
    } else if has("isl"), has("num_heads") {
      read = try prefill()
    } else if has("moe_ep_size") {
      read = try experts()
    } else if has("message_bytes") {
      read = try collective()
    } else if has("dispatch_avg_t_us") {
      read = try exchange()
    } else {
      throw DataError(
        file: path, line: 1,
        problem: "is no operator table that is understood; its columns are \(csv.header.joined(separator: ", "))")
    }
    var rows: [MeasuredOperator] = []
    while try csv.next() { rows += try read(platform()) }
    guard !rows.isEmpty else { throw DataError(file: path, problem: "has a header and no rows") }
    return rows
  }

  private mutating func platform() throws -> Platform {
    let column = csv.header.firstIndex(of: "system")
    guard let name = try column.map(csv.text) ?? deviceName else {
      throw DataError(file: path, line: 1, problem: "has no column 'system'; name the device with --device")
    }
    if let known = platforms[name] { return known }
    do {
      let found = try library.platforms.find(name)
      platforms[name] = found
      return found
    } catch let unknown as UnknownName {
      throw DataError(file: path, line: csv.line, problem: unknown.description)
    }
  }

  // MARK: Cells

  private func ints(_ names: String...) throws -> () throws -> [Int] {
    let columns = try names.map(csv.column)
    return { [csv] in try columns.map { try csv.int($0, in: 0...1_000_000_000_000) } }
  }

  private func time(_ name: String = "latency_us") throws -> () throws -> Double {
    let column = try csv.column(name)
    return { [csv] in try csv.double(column, in: 1e-3...1e12) * 1e-6 }
  }

  private func text(_ names: String..., otherwise: String = "") -> () throws -> String {
    let columns = names.compactMap { csv.header.firstIndex(of: $0) }
    return { [csv] in columns.isEmpty ? otherwise : try columns.map { try csv.text($0) }.joined(separator: " ") }
  }

  private func format(_ name: String) throws -> () throws -> NumberFormat {
    let column = try csv.column(name)
    return { [csv] in
      let text = try csv.text(column)
      switch text {
      case "bfloat16": return .bf16
      case "fp8", "fp8_block": return .fp8
      case "w4a16_mxfp4": return .mxfp4
      default:
        throw csv.error(column, "found \(shown(text)), expected bfloat16, fp8, fp8_block or w4a16_mxfp4")
      }
    }
  }

  /// A framework without its version: versions of one are measured alike.
  private static func unversioned(_ framework: String) -> String {
    framework.split(separator: " ").map { part in
      let end = part.firstIndex(of: "-")
      return String(end.map { part[..<$0] } ?? part)
    }.joined(separator: " ")
  }

  // MARK: Tables

  private func gemm() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints("m", "n", "k")
    let (format, dtype, framework, time) = (
      try format("dtype"), text("dtype"), text("framework", otherwise: "measured"), try time()
    )
    return { platform in
      let size = try shape()
      let narrow = try format()
      return [
        MeasuredOperator(
          family: narrow.bits < 16 ? .quantizedGEMM : .gemm, platform: platform, format: try dtype(),
          source: Self.unversioned(try framework()), shape: "\(size[1]) \(size[2])",
          parts: try OperatorWork.gemm(rows: size[0], columns: size[1], inner: size[2], narrow), seconds: try time())
      ]
    }
  }

  private func decode() throws -> (Platform) throws -> [MeasuredOperator] {
    let kvHeads = csv.header.contains("kv_heads") ? "kv_heads" : "num_key_value_heads"
    let shape = try ints("batch_size", "num_heads", kvHeads, "head_dim", "kv_len")
    let (cache, name, time) = (try format("kv_cache_dtype"), text("kv_cache_dtype"), try time())
    return { platform in
      let size = try shape()
      let heads = OperatorWork.Heads(query: size[1], kv: size[2], width: size[3], cache: try cache())
      return [
        MeasuredOperator(
          family: .decodeAttention, platform: platform, format: try name(), source: "vllm",
          shape: "\(size[1]) \(size[2]) \(size[3]) \(size[4])",
          parts: try OperatorWork.decodeAttention(heads, sequences: size[0], context: size[4]), seconds: try time())
      ]
    }
  }

  private func prefill() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints("batch_size", "num_heads", "kv_heads", "head_dim", "isl")
    let (cache, name, time) = (try format("kv_cache_dtype"), text("kv_cache_dtype"), try time())
    return { platform in
      let size = try shape()
      let heads = OperatorWork.Heads(query: size[1], kv: size[2], width: size[3], cache: try cache())
      return [
        MeasuredOperator(
          family: .prefillAttention, platform: platform, format: try name(), source: "vllm",
          shape: "\(size[1]) \(size[2]) \(size[3]) \(size[4])",
          parts: try OperatorWork.prefillAttention(heads, sequences: size[0], tokens: size[4]), seconds: try time())
      ]
    }
  }

  private func latent() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints("batch_size", "num_heads", "isl", "step")
    let (cache, name, phase, time) = (
      try format("kv_cache_dtype"), text("kv_cache_dtype"), text("phase"), try time()
    )
    return { platform in
      let size = try shape()
      let decodes = try phase() == "generation"
      let parts = try OperatorWork.latentAttention(heads: size[1], cache: try cache()) { spans in
        decodes
          ? .decode(sequences: size[0], context: size[3] + 1, spans: spans)
          : .prefill(sequences: size[0], tokens: size[2], start: size[3], spans: spans)
      }
      return [
        MeasuredOperator(
          family: decodes ? .latentDecode : .latentPrefill, platform: platform, format: try name(), source: "vllm",
          shape: "\(size[1]) \(size[2]) \(size[3])", parts: parts, seconds: try time())
      ]
    }
  }

  private func experts() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints(
      "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size", "num_tokens")
    let (format, dtype, kernel, routing, time) = (
      try format("moe_dtype"), text("moe_dtype"), text("kernel_source"), try routing(), try time()
    )
    return { platform in
      let size = try shape()
      let experts = try format()
      let narrow: NumberFormat = experts == .mxfp4 ? .bf16 : experts
      let work = OperatorWork.Experts(
        mixture: MixtureOfExperts(experts: size[3], expertsPerToken: size[2], expertWidth: size[1]), hidden: size[0],
        tensor: size[4], expert: size[5],
        formats: Formats(weights: narrow, experts: experts, activations: narrow, kv: .bf16, stream: .bf16),
        routing: try routing())
      return [
        MeasuredOperator(
          family: .experts, platform: platform, format: try dtype(), source: Self.kernelFamily(try kernel()),
          shape: size[..<6].map(String.init).joined(separator: " "),
          parts: try OperatorWork.experts(work, tokens: size[6]), seconds: try time())
      ]
    }
  }

  private static func kernelFamily(_ kernel: String) -> String {
    ["marlin", "cutlass", "oaitriton"].first(where: kernel.contains) ?? "triton"
  }

  private func routing() throws -> () throws -> ExpertRouting {
    let column = try csv.column("distribution")
    return { [csv] in
      let text = try csv.text(column)
      if text == "balanced" { return .even }
      let prefix = "power_law_"
      if text.hasPrefix(prefix), let exponent = Double(text.dropFirst(prefix.count)),
        ExpertRouting.exponents.contains(exponent)
      {
        return .powerLaw(exponent)
      }
      throw csv.error(column, "found \(shown(text)), expected balanced or power_law_ and an exponent from 0.01 to 3")
    }
  }

  /// Messages that the host launches one by one measure the host, so only captured ones and NCCL's are read.
  private func collective() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints("num_gpus", "message_bytes")
    let (kernel, name, time) = (text("kernel_source"), text("op"), try time())
    return { platform in
      let size = try shape()
      let source = try kernel()
      guard !source.hasSuffix("_eager") else { return [] }
      let operation = try name()
      let message = Double(size[1])
      let part: Operator
      switch operation {
      case "all_reduce": part = OperatorWork.collective(.allReduce, ranks: size[0], bytes: message)
      case "all_gather":
        part = OperatorWork.collective(.allGather, ranks: size[0], bytes: message / Double(size[0]))
      case "alltoall": part = OperatorWork.collective(.allToAll, ranks: size[0], bytes: message)
      default: return []
      }
      let custom = source.contains("custom") || source.contains("Custom")
      return [
        MeasuredOperator(
          family: operation == "all_reduce" ? .allReduce : .otherCollective, platform: platform,
          format: operation == "all_reduce" ? "bytes" : operation,
          source: custom ? "vllm and sglang, captured" : source.lowercased(), shape: "\(size[1])", parts: [part],
          seconds: try time())
      ]
    }
  }

  /// DeepEP's low-latency kernels: tokens go out in fp8 with a scale for each 128 elements and come back in bf16, over
  /// nodes of eight that are joined by one InfiniBand NDR port a device, as DeepEP's own measurements are.
  private func exchange() throws -> (Platform) throws -> [MeasuredOperator] {
    let shape = try ints("node_num", "hidden_size", "num_token", "num_topk", "num_experts")
    let (there, back) = (try time("dispatch_avg_t_us"), try time("combine_avg_t_us"))
    let port = try library.platforms.links.find("infiniband-ndr")
    let path = LinkPath(name: "8 x infiniband-ndr", bandwidth: port.bandwidth * 8, latency: port.latency)
    return { platform in
      let size = try shape()
      let ranks = 8 * size[0]
      let elements = Double(size[1] * size[2] * size[3])
      return try [("dispatch fp8", elements * (1 + 4.0 / 128), there), ("combine bf16", elements * 2, back)].map {
        name, bytes, time in
        MeasuredOperator(
          family: .exchange, platform: platform.joined(perNode: 8, by: path), format: name, source: "deepep",
          shape: "\(size[1]) \(size[3]) \(size[4])",
          parts: [OperatorWork.collective(.allToAll, ranks: ranks, bytes: bytes)], seconds: try time())
      }
    }
  }
}

extension Platform {
  /// The same devices in nodes that a link joins.
  fileprivate func joined(perNode: Int, by path: LinkPath) -> Platform {
    Platform(
      name: name, title: title, device: device, available: nil, perNode: perNode, peerPath: peerPath, nodePath: path)
  }
}
