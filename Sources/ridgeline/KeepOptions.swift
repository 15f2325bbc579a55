import ArgumentParser
import Execution
import Foundation
import Store
import Studies

/// Whether a run is kept in a store, and in which.
struct KeepOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Keep the run in this store, for 'ridgeline runs' and 'ridgeline report'.", valueName: "file"))
  var store: String?

  /// - Returns: Nothing when the run is not kept.
  /// - Throws: `DataError` for a store that cannot be written; before any work is done.
  func keeper(_ library: Library) throws -> RunKeeper? {
    guard let store else { return nil }
    return RunKeeper(
      store: try Store(path: store, .write), recorder: RunRecorder(try RunOrigin(library, command: calledWith())))
  }
}

/// A store that a run is to be kept in.
struct RunKeeper {
  let store: Store
  let recorder: RunRecorder

  func add(_ record: RunRecord) throws {
    let ids = try store.add([record])
    standardError("kept as run \(ids.first.map(String.init) ?? "?") in \(store.path)")
  }
}
