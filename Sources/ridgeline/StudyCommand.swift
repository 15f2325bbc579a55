import ArgumentParser
import Documents
import Execution
import Studies

struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Runs a grid of scenarios and writes a report.",
    discussion: """
      A study file names what is compared, under which circumstances and loads. \
      Loads are shares of the reference's capacity, which is searched first. \
      All cores are used; after an interrupt the same command goes on where it \
      stopped. The report is a folder: findings in words, tables, drawings.

        ridgeline study Reports/Examples/policies/study.yaml
        ridgeline study my-study.yaml --output out/my-study
      """)

  @Argument(help: "A study file.")
  var file: String

  @Option(help: ArgumentHelp("Folder for the report; default: the file's own.", valueName: "folder"))
  var output: String?

  func run() throws {
    let name = String((file.split(separator: "/").last ?? "").split(separator: ".").first ?? "")
    let study = try StudyFile.read(path: file, name: name == "study" ? nil : name)
    let folder = output ?? file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    let library = try Library()
    let runner = ScenarioRunner(ScenarioBuilder(library: library)) { !Interrupt.wanted }
    let studies = try StudyRunner(
      study, runner: runner, journal: folder + "/journal.partial", fingerprint: fingerprint())
    let results = try results(studies)
    let written = try StudyReport(results).write(to: folder, command: "ridgeline study \(file)")
    studies.forget()
    for path in written { standardError("wrote \(path)") }
  }

  private func results(_ studies: StudyRunner) throws -> StudyResults {
    var progress = ProgressBar("", total: 1)
    var stage = ""
    do {
      return try studies.run { title, done, total in
        if title != stage {
          if !stage.isEmpty { progress.finish(total) }
          progress = ProgressBar(title, total: total)
          stage = title
        }
        progress.update(done)
      }
    } catch is RunStopped {
      throw Interrupted(description: "interrupted; what is done is kept, and the same command goes on from there")
    }
  }

  /// Of the study's text: a changed file starts anew.
  private func fingerprint() throws -> String { Fingerprint(try TextFile.document(at: file)).text }
}
