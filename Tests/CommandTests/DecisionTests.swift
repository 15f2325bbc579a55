import Foundation
import Testing

/// What the commands that answer questions say to good and faulty words.
@Suite struct DecisionTests {
  private static let size =
    "size --model qwen2.5-0.5b --hardware t4 --traffic chat-short --rate 5 --requests 200 --tp 1 --pp 1 --precisions bf16 "

  @Test func objectivesThatCannotBeMetSayWhichBindsAndByHowMuch() throws {
    let outcome = try Command().run(Self.size + "--ttft 2s --tpot 2us")
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("t4: none; TPOT within 2 us for 99 % binds, even with no other request beside it"))
    #expect(outcome.output.contains("% at best"))
    #expect(outcome.messages.contains("Error: size: no deployment meets the objectives; what binds is above"))
  }

  @Test func aBudgetOrAPowerLimitThatIsTooLowBinds() throws {
    let poor = try Command().run(
      Self.size.split(separator: " ").map(String.init) + ["--ttft", "2s", "--budget", "0.01 USD/h"])
    #expect(poor.code == 1 && poor.output.contains("the budget of 0.01 USD/h binds"), "\(poor.output)")
    let weak = try Command().run(Self.size + "--ttft 2s --power 1W")
    #expect(weak.code == 1 && weak.output.contains("the power budget of 1 W binds"), "\(weak.output)")
  }

  private static let faults: [(line: String, code: Int32, parts: [String])] = [
    (size, 2, ["nothing is asked of the deployments: give --ttft"]),
    (size + "--ttft 1", 2, ["--ttft: found '1', expected a time"]),
    (size + "--ttft 1s@p100", 2, ["--ttft: found '@p100', expected a percentile"]),
    (size + "--ttft 1s@p9@p9", 2, ["--ttft"]),
    (size + "--ttft -1s", 2, ["--ttft"]),
    (size + "--ttft 1s --layouts agregated", 2, ["did you mean 'aggregated'?"]),
    (size + "--ttft 1s --experts spred", 2, ["did you mean 'spread'?"]),
    (size + "--ttft 1s --requests 0", 2, ["--requests", "100"]),
    (size + "--ttft 1s --budget 3", 2, ["--budget"]),
    (size + "--ttft 1s --site marss", 2, ["marss"]),
    (size.replacing("t4", with: "t44") + "--ttft 1s", 2, ["unknown device or system 't44'; did you mean 't4'?"]),
    (size.replacing("qwen2.5-0.5b", with: "qwen2.5-0.5") + "--ttft 1s", 2, ["unknown model 'qwen2.5-0.5'"]),
    (size.replacing("--rate 5", with: "--rate 0") + "--ttft 1s", 2, ["--rate"]),
    (size.replacing("--tp 1", with: "--tp 0") + "--ttft 1s", 2, ["--tp"]),
    (size.replacing("--pp 1", with: "--pp 1,1") + "--ttft 1s", 2, ["names one twice"]),
    ("require --model llama-3-8b --hardware h100-sxm", 2, ["nothing is asked of the platform"]),
    ("require --model llama-3-8b --hardware h100-sxm --tpot 0s", 2, ["--tpot"]),
    ("require --model llama-3-8b --hardware h100-sxm --tpot 3ms --parameters 10X", 2, ["--parameters: found '10X'"]),
    ("require --model llama-3-8b --hardware h100-sxm --tpot 3ms --input 1000000", 2, ["--context gives it more"]),
    ("energy --model llama-3-8b --hardware h100-sxm --show fleet", 2, ["--show fleet needs --rate"]),
    ("energy --model llama-3-8b --hardware h100-sxm --rate 5 --amplitude 2", 2, ["--amplitude"]),
    ("energy --model llama-3-8b --hardware h100-sxm --batch 0", 2, ["--batch"]),
    ("compare chat-fcfs", 2, ["found 1 scenario, expected two or more"]),
    ("compare chat-fcfs chat-sarati", 2, ["did you mean 'chat-sarathi'?"]),
    ("compare chat-fcfs --across hardwar=t4,l4", 1, ["did you mean 'hardware'?"]),
  ]

  @Test(arguments: faults.indices) func faultyWordsAreRefusedByName(index: Int) throws {
    let fault = Self.faults[index]
    let command = try Command()
    expectRefusal(try command.run(fault.line), code: fault.code, fault.parts)
    #expect(command.files.isEmpty)
  }

  @Test func aComparisonSaysInWordsWhatDiffers() throws {
    let command = try Command()
    try command.write(
      "small.yaml",
      """
      name: small
      title: A small replay
      model: opt-125m
      hardware: t4
      traffic: {name: chat-short, rate_per_s: 5}
      horizon: {requests: 200}

      """)
    let platforms = try command.run("compare small.yaml --across hardware=t4,l4 --replications 3")
    #expect(platforms.code == 0, "\(platforms.messages)")
    let words = try #require(platforms.output.split(separator: "\n").last)
    #expect(words.hasPrefix("l4 against t4: P99 TTFT ") && words.contains("price per 1M output tokens"), "\(words)")
    let same = try command.run("compare small.yaml small.yaml --replications 3")
    #expect(same.output.contains("small.yaml against small.yaml: nothing differs by more than chance."))
  }

  @Test func stagesAreReplayed() throws {
    let line =
      "simulate --model llama-3-8b --hardware hgx-h100 --pp 2 --traffic chat-short --rate 5 --count 200 --format csv"
    let outcome = try Command().run(line)
    #expect(outcome.code == 0, "\(outcome.messages)")
    let row = try record(outcome.output)
    #expect(row["devices"] == "2")
  }
}
