import ArgumentParser
import Documents
import Execution
import Studies

struct CrossoversCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crossovers",
    abstract: "Draws where one choice overtakes another.",
    discussion: """
      Weight formats, speculative decoding and experts over batch; KV \
      compression over context; prompts and answers apart over load; attention \
      on storage over context and drives; CPU and GPU over batch and price.

        ridgeline crossovers
        ridgeline crossovers --output out/crossovers
      """)

  @Option(
    help: ArgumentHelp(
      "Folder for the report; default: Reports/Examples/crossovers beside Workloads.", valueName: "folder"))
  var output: String?

  func run() throws {
    let library = try Library()
    let folder = output ?? library.folder + "/Reports/Examples/crossovers"
    var progress = ProgressBar("drawing", total: CrossoverReport.count)
    let report = try CrossoverReport(library: library) { progress.update($0) }
    progress.finish(CrossoverReport.count)
    for (name, text) in report.files {
      let file = try OutputFile(path: folder + "/" + name)
      try file.write(text)
      try file.finish()
      standardError("wrote \(folder)/\(name)")
    }
  }
}
