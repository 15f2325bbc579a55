import Foundation
import Testing

@Suite struct PredictTests {
  static let columns = [
    "model", "hardware", "devices", "runtime", "weights_format", "experts_format", "activations_format", "kv_format",
    "tp", "pp", "ep",
    "dp", "batch_size", "input_tokens", "output_tokens", "techniques",
  ]
  static let predicted = [
    "ttft_s", "tpot_s", "e2e_s", "ttft_s_lo", "ttft_s_hi", "tpot_s_lo", "tpot_s_hi", "e2e_s_lo", "e2e_s_hi",
    "interval_level", "output_tokens_per_s", "total_tokens_per_s", "energy_j", "energy_j_lo", "energy_j_hi",
    "energy_per_output_token_j", "power_w", "usd_per_million_output_tokens", "prefill_bound", "decode_bound",
    "memory_weights_b", "memory_kv_b",
    "memory_activations_b", "memory_runtime_b", "memory_usable_b", "largest_batch", "longest_context_tokens", "waves",
    "calibrations",
  ]
  private let line = "predict --model llama-3-8b --hardware h100-sxm --batch 4 --input 512 --output 64"

  @Test func `CSV has the stable columns and sound numbers`() throws {
    let outcome = try Command().run(line + " --format csv")
    #expect(outcome.code == 0 && outcome.messages.isEmpty)
    #expect(records(outcome.output)[0] == Self.columns + Self.predicted)
    let row = try record(outcome.output)
    #expect(row["model"] == "llama-3-8b" && row["batch_size"] == "4" && row["weights_format"] == "bf16")
    func number(_ name: String) throws -> Double { try #require(row[name].flatMap { Double($0) }) }
    let whole = try number("ttft_s") + number("tpot_s") * 63
    #expect(abs(try number("e2e_s") - whole) < 1e-9)
    #expect(abs(try number("energy_j") - number("power_w") * number("e2e_s")) < 1e-6)
    #expect(abs(try number("output_tokens_per_s") * number("e2e_s") - 256) < 1e-6)
    #expect(try number("memory_weights_b") > 16e9 && number("memory_weights_b") < 17e9)
  }

  @Test func `JSON holds the same record as CSV`() throws {
    let command = try Command()
    let csv = try record(command.run(line + " --format csv").output)
    let json = try objects(command.run(line + " --format json").output)
    #expect(json.count == 1 && Set(json[0].keys) == Set(csv.keys))
    for (name, value) in json[0] {
      if let number = value as? NSNumber { #expect(agrees(csv[name], number), "\(name)") }
      if let text = value as? String { #expect(csv[name] == text) }
      if value is NSNull { #expect(csv[name] == "") }
    }
  }

  @Test func `a table for people has a line for every column`() throws {
    let outcome = try Command().run(line)
    #expect(outcome.code == 0 && outcome.messages.isEmpty)
    #expect(outcome.output.split(separator: "\n").count == Self.columns.count + Self.predicted.count)
    #expect(outcome.output.contains("TTFT") && outcome.output.contains(" ms"))
  }

  @Test func `what is chosen for the user is said on stderr`() throws {
    let outcome = try Command().run("predict --model llama-3.2-1b --hardware t4 --format csv")
    #expect(outcome.code == 0)
    #expect(outcome.messages == "Note: t4 has no bf16 arithmetic; fp16 is used in its place\n")
    #expect(try record(outcome.output)["activations_format"] == "fp16")
  }

  @Test func `an explanation lists the operators of both phases in three formats`() throws {
    let command = try Command()
    let text = try command.run(line + " --explain")
    #expect(text.code == 0 && text.messages.isEmpty)
    for part in ["One prefill step", "One decode step", "lm_head", "ridge point", "at the peak", "TTFT"] {
      #expect(text.output.contains(part), "\(part)")
    }
    let csv = records(try command.run(line + " --explain --format csv").output)
    #expect(
      csv[0] == [
        "phase", "operator", "kind", "count", "shape", "flops", "traffic_b", "intensity_flop_per_b", "time_each_s",
        "time_s", "share", "energy_j", "bound",
      ])
    #expect(Set(csv.dropFirst().map { $0[0] }) == ["prefill", "decode"])
    let json = try objects(command.run(line + " --explain --format json").output)
    #expect(json.count == csv.count - 1)
    for phase in ["prefill", "decode"] {
      let shares = json.filter { $0["phase"] as? String == phase }.compactMap {
        ($0["share"] as? NSNumber)?.doubleValue
      }
      #expect(!shares.isEmpty && shares.allSatisfy { $0 >= 0 && $0 <= 1 })
      #expect(shares.reduce(0, +) <= 1.000001)
    }
  }

  private let cases = #"""
    id,device,device_count,framework,model,input_tokens,output_tokens,batch_size,ttft_s,comment
    1,h100-sxm,1,vllm-v1,llama-3-8b,128,32,4,0.5,"a ""b"", c"
    2,rtx-4090,1,vllm-v1,llama-3-70b,128,32,4,,too large
    3,h100-sxm,3,vllm-v1,llama-3-8b,128,32,4,,indivisible
    4,hgx-h100,2,sglang,llama-3-8b,128,32,4,,

    """#

  @Test func `cases come back in order with the prediction's columns appended`() throws {
    let command = try Command()
    try command.write("c.csv", cases)
    let outcome = try command.run("predict --cases c.csv")
    #expect(outcome.code == 0)
    #expect(outcome.messages == "2 of 4 cases cannot run; see their note\n")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let given = cases.split(separator: "\n").map(String.init)
    #expect(lines.count == given.count)
    for (line, start) in zip(lines, given) { #expect(line.hasPrefix(start + ","), "\(line)") }
    let names = Self.predicted.map { $0 == "ttft_s" ? "predicted_ttft_s" : $0 } + ["note"]
    #expect(lines[0].hasSuffix("," + names.joined(separator: ",")))
    #expect(lines[1].hasSuffix(" + h100-sxm-operators + h100-sxm-vllm-v1,"))
    #expect(lines[4].hasSuffix(" + tensor-core-gpu-nvidia-sglang + h100-sxm-operators,"))
  }

  @Test func `a case that cannot run keeps its row, empty, with a note`() throws {
    let command = try Command()
    try command.write("c.csv", cases)
    let lines = try command.run("predict --cases c.csv").output.split(separator: "\n")
    let empty = String(repeating: ",", count: Self.predicted.count + 1)
    #expect(lines[2].contains("too large" + empty + "\"llama-3-70b does not fit on rtx-4090: "))
    #expect(lines[3].contains("indivisible" + empty + "\"tensor parallelism 3 does not divide the 32 query heads"))
  }

  @Test func `saved cases are the bytes that stdout would have had`() throws {
    let command = try Command()
    try command.write("c.csv", cases)
    let printed = try command.run("predict --cases c.csv").output
    let saved = try command.run("predict --cases c.csv --save new/out.csv")
    #expect(saved.code == 0 && saved.output.isEmpty && saved.messages.contains("wrote new/out.csv"))
    #expect(try command.read("new/out.csv") == printed)
  }

  @Test func `results may be saved under a name of one letter`() throws {
    let command = try Command()
    try command.write("c.csv", cases)
    #expect(try command.run("predict --cases c.csv --save o").code == 0)
    #expect(command.files == ["c.csv", "o"])
  }

  @Test func `a case is priced as the same prediction alone`() throws {
    let command = try Command()
    try command.write(
      "c.csv",
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size\nh100-sxm,1,vllm-v1,llama-3-8b,512,64,4\n"
    )
    let alone = try record(command.run(line + " --format csv").output)
    let row = try record(command.run("predict --cases c.csv").output)
    for name in Self.predicted { #expect(row[name] == alone[name], "\(name)") }
  }

  @Test func `a misspelt optional column is passed through with a word on stderr`() throws {
    let command = try Command()
    try command.write(
      "c.csv",
      "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,weight_format\n"
        + "h100-sxm,1,vllm-v1,opt-125m,16,4,2,fp8\n")
    let outcome = try command.run("predict --cases c.csv")
    #expect(outcome.code == 0)
    #expect(
      outcome.messages.contains("column 'weight_format' is passed through unread; did you mean 'weights_format'?"))
  }
}
