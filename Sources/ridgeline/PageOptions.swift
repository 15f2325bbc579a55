import ArgumentParser
import Reporting

/// Whether an answer is written as a page, too.
struct PageOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write the answer as a page, too.", valueName: "file.html")) var report: String?
  @Option(help: ArgumentHelp("Write its drawings here, as SVG and PNG.", valueName: "folder")) var charts: String?

  /// Writes what is asked for; the page is made only then.
  /// - Throws: `DataError` for places that cannot be written.
  func write(_ page: () -> ReportPage) throws {
    guard report != nil || charts != nil else { return }
    try PageFiles(page: page(), output: report, charts: charts).write()
  }
}
