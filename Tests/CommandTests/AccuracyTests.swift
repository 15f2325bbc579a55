import Testing

/// `validate` and `calibrate` on users' own tables: what they print and write, and how they refuse.
@Suite struct AccuracyTests {
  private static let header = "device,device_count,runtime,model,input_tokens,output_tokens,batch_size,latency_s\n"

  private static func table(_ rows: Int) -> String {
    header
      + (1...rows).map { "h100-sxm,1,vllm-v1,opt-125m,\(64 * $0),32,\(1 + $0 % 4),\(0.05 + 0.002 * Double($0))\n" }
      .joined()
  }

  @Test func `validate prints errors by device, runtime, model and batch`() throws {
    let command = try Command()
    try command.write("runs.csv", Self.table(4))
    let outcome = try command.run("validate --dataset csv runs.csv --format csv --rows rows.csv")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let lines = records(outcome.output)
    #expect(lines[0].prefix(4) == ["metric", "group", "value", "rows"])
    #expect(lines.contains { $0.prefix(4) == ["e2e", "all", "all", "4"] })
    for group in ["device", "runtime", "device and runtime", "model", "batch"] {
      #expect(lines.contains { $0[1] == group }, "\(group)")
    }
    let rows = records(try command.read("rows.csv"))
    #expect(rows.count == 5)
    #expect(rows[1].prefix(5) == ["2", "h100-sxm", "1", "vllm-v1", "opt-125m"])
  }

  @Test func `a report is a page with its command, its errors and a plot`() throws {
    let command = try Command()
    try command.write("runs.csv", Self.table(4))
    #expect(try command.run("validate --dataset csv runs.csv --report out").code == 0)
    let page = try command.read("out/csv.md")
    #expect(page.contains("ridgeline validate --dataset csv runs.csv"))
    #expect(page.contains("| e2e | all | all | 4 |"))
    #expect(try command.read("out/csv-e2e.svg").hasPrefix("<svg"))
  }

  private static let refusals: [(line: String, text: String, code: Int32, parts: [String])] = [
    ("validate --dataset csv none.csv", "", 1, ["none.csv: no such file"]),
    ("validate --dataset csv t.csv", "a,b\n1,2\n", 1, ["t.csv", "column 'device' is missing; found a, b"]),
    (
      "validate --dataset csv t.csv", header + "h100-smx,1,vllm-v1,opt-125m,64,32,1,1\n", 1,
      ["t.csv", "h100-smx", "h100-sxm"]
    ),
    (
      "validate --dataset csv t.csv", header + "h100-sxm,1,vllm-v1,opt-125mm,64,32,1,1\n", 1,
      ["t.csv", "opt-125mm", "opt-125m"]
    ),
    ("validate --dataset csv t.csv", header + "h100-sxm,1,vllm-v1,opt-125m,64,x,1,1\n", 1, ["t.csv", "found 'x'"]),
    ("validate --dataset csv t.csv --device a100-sxm-80gb", table(2), 1, ["t.csv", "no row is left"]),
    ("validate --dataset vllm-log t.csv", "{}\n", 1, ["t.csv", "--serving"]),
    ("validate --dataset cvs t.csv", table(2), 2, ["cvs", "csv"]),
    ("validate --dataset csv t.csv --folds modl", table(2), 2, ["modl", "model"]),
    (
      "calibrate --dataset csv t.csv --output out --date yesterday", table(3), 2, ["--date", "yesterday", "2026-11-23"]
    ),
    ("calibrate --dataset csv t.csv --output out --date 2026-02-30", table(3), 2, ["--date", "2026-02-30"]),
    ("calibrate --dataset csv t.csv --output out", table(3), 1, ["t.csv", "too few rows"]),
  ]

  @Test(arguments: refusals.indices) func `what cannot be read or fitted is refused, nothing written`(index: Int) throws
  {
    let item = Self.refusals[index]
    let command = try Command()
    if !item.text.isEmpty { try command.write("t.csv", item.text) }
    expectRefusal(try command.run(item.line), code: item.code, item.parts)
    #expect(command.files == (item.text.isEmpty ? [] : ["t.csv"]))
  }

  @Test func `calibrate writes the same bytes for the same rows and date, and predict reads them`() throws {
    let command = try Command()
    try command.write("runs.csv", Self.table(12))
    for folder in ["one", "two"] {
      let line = "calibrate --dataset csv runs.csv --date 2026-01-01 --output \(folder)"
      let outcome = try command.run(line)
      #expect(outcome.code == 0, "\(outcome.messages)")
    }
    let file = try command.read("one/h100-sxm-vllm-v1.yaml")
    #expect(try command.read("two/h100-sxm-vllm-v1.yaml") == file)
    for part in ["applies_to: {device: h100-sxm, runtime: vllm-v1}", "date: 2026-01-01", "12 rows of 1 models"] {
      #expect(file.contains(part), "\(part)")
    }
  }
}
