import Foundation

/// Finds the folder that holds `Hardware` and `Workloads`.
package enum DataFolder {
  /// `RIDGELINE_DATA`, or the nearest folder upward from the working directory, then from the executable, that has them.
  package static func find() throws -> String {
    if let given = ProcessInfo.processInfo.environment["RIDGELINE_DATA"], !given.isEmpty {
      guard holdsData(given) else {
        throw DataError(
          file: given, problem: "RIDGELINE_DATA names a folder without Hardware/Devices and Workloads/Models")
      }
      return given
    }
    let executable = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent().path
    for start in [FileManager.default.currentDirectoryPath, executable].compactMap({ $0 }) {
      var folder = URL(fileURLWithPath: start)
      while true {
        if holdsData(folder.path) { return folder.path }
        let parent = folder.deletingLastPathComponent()
        guard parent.path != folder.path else { break }
        folder = parent
      }
    }
    throw DataError(
      file: FileManager.default.currentDirectoryPath,
      problem: "has no Hardware/Devices and Workloads/Models, nor has any folder above; set RIDGELINE_DATA")
  }

  private static func holdsData(_ folder: String) -> Bool {
    ["/Hardware/Devices", "/Workloads/Models"].allSatisfy { FileManager.default.fileExists(atPath: folder + $0) }
  }
}
