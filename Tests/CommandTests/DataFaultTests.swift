import Foundation
import Testing

/// Faulty data, or a case that cannot run, ends with code 1 and one message.
@Suite struct DataFaultTests {
  private static let lines: [(line: String, parts: [String])] = [
    (
      "predict --model llama-3-70b --hardware rtx-4090",
      ["llama-3-70b does not fit on rtx-4090: 121 GB are missing", "--tp", "--weights"]
    ),
    (
      "simulate --model llama-3-70b --hardware rtx-4090 --traffic steady",
      ["llama-3-70b leaves no room for a KV cache on rtx-4090: 121 GB are missing"]
    ),
    (
      "predict --model llama-3-8b --hardware h100-sxm --batch 1000",
      ["the KV cache of 1000 sequences of 1280 tokens does not fit", "the largest batch is ", "--waves"]
    ),
    (
      "predict --model llama-3-8b --hardware h100-sxm --input 8000 --output 300",
      ["8300 tokens exceed the 8192 positions of llama-3-8b; --any-length"]
    ),
    ("predict --cases none.csv", ["none.csv: no such file"]),
    ("predict --cases .", [".: is a folder, expected a file"]),
    ("simulate --model opt-125m --hardware h100-sxm --trace none.csv", ["none.csv: no such file"]),
    ("simulate --model opt-125m --hardware h100-sxm --trace .", [".: is a folder, expected a file"]),
  ]

  @Test(arguments: lines.indices) func `what cannot run is refused with code 1`(index: Int) throws {
    let command = try Command()
    let item = Self.lines[index]
    expectRefusal(try command.run(item.line), code: 1, item.parts)
    #expect(command.files == [])
  }

  @Test func `the largest batch a refusal names does fit, and one more does not`() throws {
    let command = try Command()
    let line = "predict --model llama-3-8b --hardware h100-sxm --format csv --batch"
    let refused = try command.run("\(line) 1000")
    let words = refused.messages.split(separator: " ").map { $0.trimmingCharacters(in: .punctuationCharacters) }
    let place = try #require(words.indices.first { words[$0] == "largest" && words[$0 + 1] == "batch" })
    let largest = try #require(Int(words[place + 3]))
    #expect(try command.run("\(line) \(largest)").code == 0)
    #expect(try command.run("\(line) \(largest + 1)").code == 1)
    #expect(try command.run("\(line) 1000 --waves").code == 0)
  }

  @Test(arguments: [
    ("", "t.csv: is empty, expected a CSV header line"),
    ("arrival_s,input_tokens,output_tokens\n", "t.csv: has a header and no rows"),
    ("arrival_s,input_tokens,output_tokens\n1,5,5\n0.5,5,5\n", "t.csv:3: arrival_s: goes back in time"),
    ("arrival_s,input_tokens,output_tokens\n1,0,5\n", "t.csv:2: input_tokens: found 0"),
    ("arrival_s,input_tokens,output_tokens\n1,5\n", "t.csv:2: has 2 fields, expected 3"),
    ("arrival_s,input_tokens,output_tokens\nnan,5,5\n", "t.csv:2: arrival_s: found 'nan', expected a finite number"),
    ("time,in,out\n1,5,5\n", "t.csv:1: is no known trace"),
    ("{\"timestamp\": 0, \"input_length\": 1\n", "t.csv:1"),
    ("\u{0}\u{1}\u{2}\n", "t.csv"),
  ])
  func `a faulty trace is refused at its line, and no per-request file appears`(text: String, part: String) throws {
    let command = try Command()
    try command.write("t.csv", text)
    let outcome = try command.run("simulate --model opt-125m --hardware h100-sxm --trace t.csv --requests r.csv")
    expectRefusal(outcome, code: 1, [part])
    #expect(command.files == ["t.csv"])
  }

  private static let header = "device,device_count,runtime,model,input_tokens,output_tokens,batch_size"
  private static let row = "h100-sxm,1,vllm-v1,opt-125m,16,4,2"

  private static let tables: [(text: String, part: String)] = [
    ("", "c.csv: is empty, expected a CSV header line"),
    (header + "\n", "c.csv: has a header and no cases"),
    (
      "device,device_count,runtime,input_tokens,output_tokens,batch_size\na,b,c,d,e,f\n",
      "c.csv:1: column 'model' is missing; found device, "
    ),
    (
      "\(header)\n\(row)\nh100-smx,1,vllm-v1,opt-125m,16,4,2\n",
      "c.csv:3: device: unknown device or system 'h100-smx'; did you mean 'h100-sxm'?"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,1,vlm,opt-125m,16,4,2\n",
      "c.csv:3: runtime: unknown runtime 'vlm'; did you mean 'vLLM'?"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,1,vllm-v1,opt-125x,16,4,2\n",
      "c.csv:3: model: unknown model 'opt-125x'; did you mean 'opt-125m'?"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,1,vllm-v1,opt-125m,sixteen,4,2\n",
      "c.csv:3: input_tokens: found 'sixteen', expected a whole number"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,1,vllm-v1,opt-125m,16,4,0\n",
      "c.csv:3: batch_size: found 0, expected a whole number from 1 to"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,1,vllm-v1,opt-125m,16,1e999,2\n",
      "c.csv:3: output_tokens: found '1e999', expected a whole number"
    ),
    (
      "\(header)\n\(row)\nh100-sxm,,vllm-v1,opt-125m,16,4,2\n",
      "c.csv:3: device_count: found '', expected a whole number"
    ),
    ("\(header)\n\(row)\nh100-sxm,1,vllm-v1\n", "c.csv:3: has 3 fields, expected 7"),
    ("\(header)\n\(row)\n\"h100-sxm,1,vllm-v1\n", "c.csv:3: ends inside a quoted field"),
    ("\(header),weights_format\n\(row),fp88\n", "c.csv:2: weights_format: found 'fp88', expected one of"),
    ("\(header),tp\n\(row),2\n", "c.csv:2: device_count: found 1, expected 2 = tp x pp x dp of the row"),
  ]

  @Test(arguments: tables.indices)
  func `a faulty table of cases is refused at its line, and no result appears`(index: Int) throws {
    let command = try Command()
    try command.write("c.csv", Self.tables[index].text)
    for line in ["predict --cases c.csv", "predict --cases c.csv --save out.csv"] {
      expectRefusal(try command.run(line), code: 1, [Self.tables[index].part])
    }
    #expect(command.files == ["c.csv"])
  }

  @Test func `a place that cannot be written is refused`() throws {
    let command = try Command()
    try command.write("c.csv", "\(Self.header)\n\(Self.row)\n")
    expectRefusal(
      try command.run("predict --cases c.csv --save c.csv/out.csv"), code: 1,
      ["c.csv: cannot be created as a folder for results"])
    expectRefusal(
      try command.run("predict --cases c.csv --save ."), code: 1, [".: is a folder, expected a file to write"])
    let simulate = "simulate --model opt-125m --hardware h100-sxm --traffic steady --count 5 --requests"
    expectRefusal(try command.run("\(simulate) /proc/out.csv"), code: 1, ["/proc/out.csv: cannot be written"])
    #expect(command.files == ["c.csv"])
  }

  @Test func `a faulty device file is refused at its line`() throws {
    let command = try Command()
    let shown = try command.run("show devices t4").output
    try command.write(
      "mine.yaml", shown.replacing("name: t4", with: "name: mine").replacing("bandwidth:", with: "bandwith:"))
    expectRefusal(
      try command.run("predict --model opt-125m --hardware mine.yaml"), code: 1,
      ["mine.yaml:", ".bandwith: unknown key; did you mean 'bandwidth'?"])
  }

  @Test func `a faulty model file is refused with its field`() throws {
    let command = try Command()
    try command.write("config.json", "{\"model_type\": \"llama\", \"hidden_size\": -1}")
    expectRefusal(
      try command.run("predict --model config.json --hardware t4"), code: 1, ["config.json:1: hidden_size: found -1"])
  }

  @Test func `a data folder that is none is refused by name`() throws {
    let command = try Command()
    expectRefusal(
      try command.run(["list", "devices"], data: command.folder.path), code: 1,
      ["RIDGELINE_DATA names a folder without Hardware/Devices"])
    // An empty name is none: the folder is then the one above the program.
    #expect(try command.run(["list", "devices"], data: "").output.contains("h100-sxm"))
  }
}
