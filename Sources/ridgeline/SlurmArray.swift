import Documents
import Foundation
import Store
import Studies

/// A sweep as a Slurm job array: one shard and one store a task, merged at the end.
///
/// Its folder stands beside the store and holds the script, each task's store and output, and the job's number; the same
/// command finds it and goes on following after an interrupt.
struct SlurmArray {
  let tasks: Int
  let options: String
  /// What a task is called with, but for its shard and store.
  let arguments: [String]
  let store: String

  private static let pollEvery = 2.0

  /// - Throws: `DataError` when Slurm is not there or a task fails; ``Interrupted``.
  func run(sweep: Sweep, uid: String, into store: Store) throws {
    let folder = self.store + ".slurm-" + uid.prefix(8) + "-\(tasks)"
    let job = try running(in: folder) ?? submit(in: folder)
    standardError("job \(job): \(tasks) tasks, stores and outputs in \(folder)")
    try follow(job, folder, sweep)
    for task in 1...tasks { _ = try store.merge(from: shardStore(folder, task)) }
    let id = try store.sweep(named: uid).id
    let done = try store.pointsDone(of: id).count
    guard done == sweep.count else {
      throw DataError(
        file: folder,
        problem: "\(sweep.count - done) of \(sweep.count) points are missing; see the outputs there, then call again")
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func shardStore(_ folder: String, _ task: Int) -> String { "\(folder)/\(task).sqlite" }

  // MARK: Submitting

  /// The job of an earlier call that Slurm still knows as waiting or running.
  private func running(in folder: String) throws -> String? {
    guard let text = try? TextFile.document(at: folder + "/job") else { return nil }
    let job = text.filter(\.isNumber)
    return try states(of: job).isEmpty ? nil : job
  }

  private func submit(in folder: String) throws -> String {
    let script = try OutputFile(path: folder + "/task.sh")
    try script.write(self.script(URL(fileURLWithPath: folder).path))
    try script.finish()
    let answer = try Shell.run(
      ["sbatch", "--parsable", "--array=1-\(tasks)", "--job-name=ridgeline"]
        + options.split(separator: " ").map(String.init) + [folder + "/task.sh"])
    guard answer.code == 0 else {
      throw DataError(file: "sbatch", problem: "did not take the job: \(answer.messages.firstLine)")
    }
    let job = String(answer.output.prefix { $0.isNumber })
    let note = try OutputFile(path: folder + "/job")
    try note.write(job + "\n")
    try note.finish()
    return job
  }

  /// The data folder and the program are named in full, because a task starts elsewhere.
  private func script(_ folder: String) throws -> String {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let words = ([program] + arguments).map(Shell.quoted).joined(separator: " ")
    return """
      #!/bin/sh
      #SBATCH --output=\(folder)/%a.out
      export RIDGELINE_DATA=\(Shell.quoted(URL(fileURLWithPath: try DataFolder.find()).path))
      exec \(words) --shard "$SLURM_ARRAY_TASK_ID/\(tasks)" --store \(Shell.quoted(folder))/"$SLURM_ARRAY_TASK_ID".sqlite > /dev/null

      """
  }

  // MARK: Following

  private func follow(_ job: String, _ folder: String, _ sweep: Sweep) throws {
    var progress = ProgressBar("sweeping by Slurm", total: sweep.count)
    while true {
      let left = try states(of: job)
      progress.update(pointsDone(in: folder))
      if left.isEmpty { break }
      guard !Interrupt.wanted else {
        throw Interrupted(
          description:
            "interrupted; job \(job) goes on, and the same command follows it again (scancel \(job) stops it)")
      }
      Thread.sleep(forTimeInterval: Self.pollEvery)
    }
    progress.finish(pointsDone(in: folder))
  }

  /// States of the tasks that Slurm has not ended yet.
  private func states(of job: String) throws -> [String] {
    let answer = try Shell.run(["squeue", "--noheader", "--array", "--jobs", job, "--format", "%T"])
    // A job that Slurm has forgotten is over.
    guard answer.code == 0 else {
      guard answer.messages.contains("Invalid job id") else {
        throw DataError(file: "squeue", problem: "does not answer: \(answer.messages.firstLine)")
      }
      return []
    }
    return answer.output.split(separator: "\n").map(String.init)
  }

  private func pointsDone(in folder: String) -> Int {
    (1...tasks).reduce(0) { sum, task in
      guard let store = try? Store(path: shardStore(folder, task), .read), let sweep = try? store.sweeps().first else {
        return sum
      }
      return sum + sweep.done
    }
  }
}

extension String {
  fileprivate var firstLine: String { String(split(separator: "\n").first ?? "no message") }
}

/// Other programs, run to their end.
enum Shell {
  struct Answer {
    var code: Int32
    var output: String
    var messages: String
  }

  /// - Throws: `DataError` when there is no such program.
  static func run(_ words: [String]) throws -> Answer {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = messages
    do {
      try process.run()
    } catch {
      throw DataError(file: words[0], problem: "cannot be started")
    }
    let text = String(decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    let errors = String(decoding: (try? messages.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus != 127 else {
      throw DataError(file: words[0], problem: "is not installed here, or not on the PATH")
    }
    return Answer(code: process.terminationStatus, output: text, messages: errors)
  }

  /// A word as a shell takes it.
  static func quoted(_ word: String) -> String {
    "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
