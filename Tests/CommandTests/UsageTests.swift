import Testing

/// A command line that cannot mean anything ends with code 2 and one message.
@Suite struct UsageTests {
  private static let model = "--model llama-3-8b --hardware h100-sxm"

  private static let lines: [(line: String, parts: [String])] = [
    (
      "predict --model llama-3-8bb --hardware h100-sxm",
      ["unknown model 'llama-3-8bb'; did you mean 'llama-3-8b'?", "'ridgeline list models' shows all"]
    ),
    (
      "predict --model llama-3-8b --hardware h100-smx",
      [
        "unknown device or system 'h100-smx'; did you mean 'h100-sxm'?",
        "'ridgeline list devices' and 'ridgeline list systems' show all",
      ]
    ),
    ("predict --model llama-3-8b --hardware samsung-980-pro", ["samsung-980-pro is a drive (ssd)", "choose a gpu"]),
    ("predict --model llama-3-8b --hardware samsung-smartssd", ["samsung-smartssd is a drive (csd)"]),
    (
      "simulate --model opt-125m --hardware h100-sxm --traffic steady --max-num-batched-tokens 8",
      ["max_num_seqs 256 exceeds max_num_batched_tokens 8"]
    ),
    ("predict --cases c.csv --tp 8", ["--tp does not go with --cases"]),
    (
      "predict \(model) --runtime vlm",
      ["unknown runtime 'vlm'; did you mean 'vLLM'?", "'ridgeline list runtimes' shows all"]
    ),
    (
      "simulate \(model) --traffic chat-shrt",
      ["unknown traffic 'chat-shrt'; did you mean 'chat-short'?", "'ridgeline list traffic' shows all"]
    ),
    (
      "predict \(model) --weights int4g128",
      ["--weights: unknown format 'int4g128', expected one of fp64, ", "did you mean 'int4-g128'?"]
    ),
    ("predict \(model) --kv-format fp88", ["--kv-format: unknown format 'fp88'", "did you mean 'fp8'?"]),
    ("predict \(model) --activations bananas", ["--activations: unknown format 'bananas', expected one of"]),
    ("predict \(model) --batch 0", ["--batch: found 0, expected a whole number from 1 to 1000000"]),
    ("predict \(model) --batch=-5", ["--batch: found -5, expected a whole number from 1 to 1000000"]),
    ("predict \(model) --batch -5", ["--batch"]),
    ("predict \(model) --batch abc", ["'abc' is invalid for '--batch"]),
    ("predict \(model) --batch 1e9", ["'1e9' is invalid for '--batch"]),
    ("predict \(model) --batch 1000000000", ["--batch: found 1000000000, expected a whole number from 1 to 1000000"]),
    ("predict \(model) --batch 99999999999999999999", ["invalid for '--batch"]),
    ("predict \(model) --input 0", ["--input: found 0"]),
    ("predict \(model) --output 0", ["--output: found 0"]),
    ("predict \(model) --tp 0", ["--tp: found 0, expected a whole number from 1 to 4096"]),
    (
      "predict \(model) --tp 3",
      ["tensor parallelism 3 does not divide the 32 query heads; it may be 1, 2, 4, 8, 16, 32"]
    ),
    ("predict \(model) --pp 33", ["pipeline parallelism 33 exceeds the 32 layers"]),
    ("predict \(model) --ep 2", ["expert parallelism needs a mixture of experts, and llama-3-8b has none"]),
    ("predict --model llama-3-8b --hardware hgx-h100 --tp 16", ["the plan needs 16 devices and hgx-h100 has 8"]),
    ("predict --model llama-3-8b --hardware t4 --activations fp4", ["fp4"]),
    ("host calibrate --threads 1024", ["--threads: found 1024, expected at most "]),
    ("host calibrate --threads 0", ["--threads: found '0', expected whole numbers from 1 to 1024"]),
    ("host validate --rounds 0", ["--rounds: found 0, expected a whole number from 1 to 100"]),
    ("host validate --longest 4096", ["--longest: found 4096, expected a whole number from 16 to 2048"]),
    ("host validate --formats q4", ["--formats: unknown format 'q4', expected some of f32, "]),
    ("predict --hardware h100-sxm", ["--model is missing, for example --model llama-3-8b"]),
    ("predict --model llama-3-8b", ["--hardware is missing, for example --hardware h100-sxm"]),
    ("predict \(model) --bach 4", ["Unknown option '--bach'"]),
    ("predict \(model) --format xml", ["'xml' is invalid for '--format"]),
    ("predict \(model) --save out.csv", ["--save belongs to --cases"]),
    ("predict --cases none.csv --model llama-3-8b", ["does not go with --cases"]),
    ("predict --cases none.csv --hardware h100-sxm", ["does not go with --cases"]),
    ("simulate \(model)", ["give either --trace FILE or --traffic NAME"]),
    ("simulate \(model) --trace a.csv --traffic steady", ["give either --trace FILE or --traffic NAME"]),
    ("simulate \(model) --trace a.csv --rate 3", ["--rate is for generated traffic"]),
    ("simulate \(model) --traffic steady --time-scale 2", ["--time-scale is for traces"]),
    ("simulate \(model) --traffic steady --rate 0", ["--rate: found 0.0, expected a number from"]),
    ("simulate \(model) --traffic steady --rate nan", ["--rate: found nan"]),
    ("simulate \(model) --traffic steady --count 0", ["--count: found 0"]),
    ("simulate \(model) --traffic steady --seed minus", ["'minus' is invalid for '--seed"]),
    ("simulate \(model) --traffic steady --seed -1", ["--seed: found -1, expected a whole number from 0 to"]),
    ("simulate \(model) --traffic closed-loop --rate 3", ["--rate does not go with closed-loop, a closed loop"]),
    ("simulate \(model) --traffic steady --num-kv-blocks 0", ["--num-kv-blocks: found 0"]),
    ("simulate \(model) --traffic steady --ttft 5", ["--ttft: found '5', expected a time from"]),
    ("simulate \(model) --traffic steady --warm-up soon", ["--warm-up: found 'soon'"]),
    ("simulate \(model) --traffic steady --first-deadline unloaded+x --fluidity", ["--first-deadline: found 'x'"]),
    ("simulate \(model) --traffic steady --timeline-window 9s-3s", ["expected the end after the beginning"]),
    ("simulate \(model) --traffic steady --series a --timeline a", ["need a file each"]),
    ("simulate --traffic steady", ["--model is missing"]),
    ("simulate chat-fxfs", ["unknown scenario 'chat-fxfs'; did you mean 'chat-fcfs'?", "'ridgeline list scenarios'"]),
    ("simulate chat-fcfs --scheduler sarati", ["unknown scheduler 'sarati'", "did you mean 'sarathi'?"]),
    ("simulate chat-fcfs --scheduler sarathi:chunk=0", ["chunk: found '0'", "expected a whole number from 1"]),
    (
      "simulate chat-fcfs --scheduler sarathi --batching static",
      ["composes steps itself", "batching would be ignored"]
    ),
    ("simulate chat-fcfs --router rond-robin", ["unknown router 'rond-robin'", "did you mean 'round-robin'?"]),
    ("simulate chat-fcfs --admission maybe", ["unknown admission 'maybe'"]),
    ("simulate chat-fcfs --replicas 0", ["--replicas: found 0"]),
    ("simulate split-pools --replicas 3", ["--replicas does not go with split-pools"]),
    ("simulate chat-fcfs --swap-space 4GiB", ["--swap-space goes with --preemption swap"]),
    ("simulate chat-fcfs --preemption swap --swap-space 4", ["--swap-space: found '4', expected a positive size"]),
    ("simulate chat-fcfs --no-prefix-cache --eviction lru", ["--eviction does not go without a prefix cache"]),
    ("capacity chat-fcfs --ttft 1", ["--ttft: found '1', expected a time"]),
    ("simulate chat-fcfs --seed -1", ["--seed: found -1"]),
    ("simulate chat-fcfs --trace a.csv --rate 4", ["--rate is for generated traffic"]),
    ("simulate chat-fcfs --power-cap 1W", ["1 W"]),
    ("compare chat-fcfs", ["found 1 scenario, expected two or more"]),
    ("compare chat-fcfs chat-sarathi --replications 1", ["--replications: found 1"]),
    ("capacity chat-fcfs --share 2", ["--share: found 2.0"]),
    ("capacity --model llama-3-8b --hardware h100-sxm --traffic closed-loop", ["is a closed loop"]),
    ("compare chat-fcfs --across", ["--across"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady", ["nothing is asked of the deployments"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady --ttft 1", ["--ttft: found '1', expected a time"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady --ttft 1s@99", ["expected a percentile such as @p99"]),
    ("size --model llama-3-8b --hardware l44 --traffic steady --ttft 1s", ["did you mean 'l4'?"]),
    ("size --model llama-3-8b --hardware l4,l4 --traffic steady --ttft 1s", ["names one twice"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady --ttft 1s --precisions fp9", ["unknown 'fp9'"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady --ttft 1s --budget 4", ["--budget: found '4'"]),
    ("size --model llama-3-8b --hardware l4 --traffic steady --ttft 1s --site mars", ["unknown site 'mars'"]),
    ("require --model llama-3-8b --hardware l4", ["nothing is asked of the platform"]),
    ("require --model llama-3-8b --hardware l4 --tpot 1s --parameters 3X", ["--parameters: found '3X'"]),
    ("require --model llama-3-8b --hardware l4 --tpot 1s --input 100000", ["--context gives it more"]),
    ("energy --model llama-3-8b --hardware l4 --show fleet", ["--show fleet needs --rate"]),
    ("energy --model llama-3-8b --hardware l4 --rate 0", ["--rate: found 0"]),
    ("runs prune", ["found nothing to remove"]),
    ("list schedulerss", ["'schedulerss' is invalid"]),
    ("show schedulers sarati", ["unknown scheduler 'sarati'", "did you mean 'sarathi'?"]),
    ("list devicess", ["'devicess' is invalid", "devices"]),
    ("show devices h100-smx", ["unknown device 'h100-smx'; did you mean 'h100-sxm'?"]),
    ("show models llama-3-8bb", ["did you mean 'llama-3-8b'?"]),
    ("predicts", ["predicts"]),
  ]

  @Test(arguments: lines.indices) func `a command line that means nothing is refused with code 2`(index: Int) throws {
    let command = try Command()
    let item = Self.lines[index]
    expectRefusal(try command.run(item.line), code: 2, item.parts)
    #expect(command.files == [])
  }

  @Test func `a device without any link works alone`() throws {
    let command = try Command()
    let shown = try command.run("show devices t4").output
    let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("links:") })
    let end = try #require(lines[(start + 1)...].firstIndex { !$0.hasPrefix(" ") })
    try command.write(
      "alone.yaml", (lines[..<start] + lines[end...]).joined(separator: "\n").replacing("name: t4", with: "name: alone")
    )
    let line = "predict --model llama-3.2-1b --hardware alone.yaml --activations fp16"
    #expect(try command.run(line).code == 0)
    expectRefusal(try command.run(line + " --tp 2"), code: 2, ["alone has no link to others of its kind"])
  }

  @Test(arguments: [
    "", "predict", "simulate", "compare", "capacity", "study", "size", "require", "energy", "sweep", "runs", "report",
    "list", "show",
  ])
  func `help has an example`(name: String) throws {
    let outcome = try Command().run([name, "--help"].filter { !$0.isEmpty })
    #expect(outcome.code == 0 && outcome.messages.isEmpty)
    #expect(outcome.output.contains("\n  ridgeline \(name.isEmpty ? "predict" : name) "), "\(outcome.output)")
  }

  @Test func `the version goes to stdout`() throws {
    let outcome = try Command().run("--version")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("ridgeline ") && outcome.messages.isEmpty)
  }

  @Test(arguments: ["--trace", "--traffic", "--requests"])
  func `an empty path is refused by the name of its option`(option: String) throws {
    var words = "simulate \(Self.model)".split(separator: " ").map(String.init)
    if option == "--requests" { words += ["--traffic", "steady"] }
    let outcome = try Command().run(words + [option, ""])
    #expect(outcome.code == 2 && outcome.messages.contains("\(option): found an empty text"), "\(outcome.messages)")
  }
}
