import Documents
import Execution
import Foundation
import Quantities
import Reporting
import Studies
import TestSupport
import Testing

@Suite struct ClaimTests {
  private static let table =
    (ProcessInfo.processInfo.environment["RIDGELINE_SHARED"] ?? Repository.folder + "/../shared") + "/claims/claims.csv"

  private static let library = Result { try Library(folder: Repository.folder) }

  private func parse(_ claim: String) throws -> ClaimFile {
    let text = """
      name: test
      paper: A test
      source: made up
      plans:
        plain: {model: llama-3-8b, hardware: h100-sxm, runtime: vllm-v0, batch: 1, input: 128, output: 32}
      claims:
      \(claim.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
      """
    return try ClaimFile.parse(YAMLDocument.parse(text, file: "test.yaml"), name: nil)
  }

  private func score(_ figure: String) throws -> ScoredFigure {
    let file = try parse("- {id: one, system: test, modelable: \"yes\", figures: [\(figure)]}")
    return try #require(ClaimRunner(library: Self.library.get()).score(file.claims[0], of: file).figures.first)
  }

  @Test(arguments: [
    ("{metric: tpot, published: 1 s, plan: plan}", "names no plan of the file; did you mean 'plain'?"),
    ("{metric: tpot, published: 1, plan: plain}", "without a unit"),
    ("{metric: tpott, published: 1 s, plan: plain}", "did you mean 'tpot'?"),
    ("{metric: tpot, published: 2, as: speedup, plan: plain}", "needs 'over'"),
    ("{metric: tpot, published: 2 s, plan: plain, over: plain}", "'over' needs 'as'"),
    ("{metric: tpot, published: [2 s, 1 s], plan: plain}", "runs from 2.0 down to 1.0"),
    ("{metric: tpot, published: 1 s, plan: {like: plain, bach: 2}}", "did you mean 'batch'?"),
  ])
  func `faulty figures are refused with place and reason`(figure: String, reason: String) throws {
    let error = #expect(throws: DataError.self) { try score(figure) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func `a claim needs figures or a reason`() {
    let error = #expect(throws: DataError.self) { try parse("- {id: one, system: test, modelable: \"no\"}") }
    #expect(error?.description.contains("either 'figures' or 'unpredicted'") == true)
  }

  @Test func `a plan over itself is a ratio of one, and twice its batch saves no weights`() throws {
    #expect(try score("{metric: tpot, published: 1, as: ratio, plan: plain, over: plain}").predicted == 1)
    #expect(
      try score("{metric: weights, published: 0, as: saving, plan: {like: plain, batch: 2}, over: plain}").predicted
        == 0)
  }

  @Test func `verdicts follow the distance and the side of one`() throws {
    let own = try #require(score("{metric: tpot, published: 1 s, plan: plain}").predicted)
    func verdict(_ factor: Double) throws -> Verdict {
      try score("{metric: tpot, published: \(own / factor) s, plan: plain}").verdict
    }
    #expect(try verdict(1.05) == .within10 && verdict(0.8) == .within25)
    #expect(try verdict(1.4) == .within50 && verdict(1.7) == .wrong)
    let speed = "as: speedup, plan: {like: plain, with: [w4a16]}, over: plain"
    #expect(try score("{metric: tpot, published: 9, \(speed)}").verdict == .direction)
    #expect(try score("{metric: tpot, published: 0.4, \(speed)}").verdict == .wrong)
    #expect(try score("{metric: tpot, published: [1.5, 4], \(speed)}").verdict == .within10)
  }

  @Test func `variants take the largest, the least or the mean`() throws {
    func value(_ taking: String) throws -> Double {
      let each = "each: [{batch: 1}, {batch: 64}], take: \(taking)"
      return try #require(score("{metric: output_rate, published: 1, plan: plain, \(each)}").predicted)
    }
    let (least, mean, most) = (try value("min"), try value("mean"), try value("max"))
    #expect(least < mean && mean < most && abs((least + most) / 2 - mean) < 1e-9 * most)
  }

  @Test(
    arguments: [
      ("[A100]", .assumed), ("[{device: A100}]", .partly), ("[A100, {lengths: 128 tokens}]", .partly),
      ("[]", .published),
    ] as [(String, ScoredClaim.Standing)])
  func `a claim whose scenario assumes what decides it is published in part`(
    assumptions: String, standing: ScoredClaim.Standing
  ) throws {
    let figure = "{metric: weights, published: 16 GB, plan: plain}"
    let file = try parse(
      "- {id: one, system: test, modelable: \"yes\", assumptions: \(assumptions), figures: [\(figure)]}")
    let runner = ClaimRunner(library: try Self.library.get())
    #expect(try runner.score(file.claims[0], of: file).standing == standing)
    // What holds for all claims of a file holds for each.
    var whole = file
    whole.assumptions = file.claims[0].assumptions
    whole.claims[0].assumptions = []
    #expect(try runner.score(whole.claims[0], of: whole).standing == standing)
  }

  @Test(arguments: [
    ("[{devise: A100}]", "did you mean 'device'?"), ("[{device: A100, lengths: 128}]", "has 2 conditions"),
  ])
  func `an assumption is a sentence or one condition with its sentence`(assumptions: String, reason: String) throws {
    let error = #expect(throws: DataError.self) {
      try parse("- {id: one, system: test, modelable: \"no\", assumptions: \(assumptions), unpredicted: why}")
    }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  /// Whether a claim can be modelled is said by the table of claims; scenarios do not say otherwise.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: Self.table), "the table of claims is not here"))
  func `scenarios call claims modelable as the table of claims does`() throws {
    let rows = try CSVReader(path: Self.table)
    let (id, modelable) = (try rows.column("id"), try rows.column("modelable"))
    var said: [String: String] = [:]
    while try rows.next() { said[try rows.text(id)] = try rows.text(modelable) }
    for claim in try Self.library.get().claims().all().flatMap(\.claims) {
      let text = try #require(said[claim.id], "\(claim.id)")
      #expect(text.hasPrefix(claim.conditions.rawValue), "\(claim.id): \(text)")
    }
  }

  /// Every claim of every file: nothing of it fails to run, each miss has its account, and the committed totals hold.
  @Test func `the scoreboard is what its report says`() throws {
    let library = try Self.library.get()
    let runner = ClaimRunner(library: library)
    let files = try library.claims().all()
    let scored = try files.flatMap { file in try file.claims.map { try runner.score($0, of: file) } }
    #expect(scored.count >= 300 && scored.count { !$0.figures.isEmpty } >= 200)
    #expect(Set(scored.map(\.claim.id)).count == scored.count)
    for item in scored where item.verdict?.isMiss == true { #expect(item.claim.miss != nil, "\(item.claim.id)") }
    let committed = try String(contentsOfFile: Repository.folder + "/Reports/Claims/README.md", encoding: .utf8)
    for total in ClaimTotals.all(of: scored) where total.count > 0 {
      let row = try #require(committed.split(separator: "\n").first { $0.hasPrefix("| \(total.title) |") })
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(Int(cells[1]) == total.count, "run 'ridgeline claims' to write Reports/Claims anew")
      let within30 = try #require(Double(cells[5].split(separator: " ")[0]))
      let now = 100 * Double(total.within30) / Double(total.count)
      #expect(abs(now - within30) < 6, "\(total.title): \(now) % within 30 %; run 'ridgeline claims'")
    }
  }
}
