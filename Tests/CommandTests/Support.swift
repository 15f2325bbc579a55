import Foundation
import Testing

/// What one run of the command left behind.
struct Outcome {
  let code: Int32
  let output: String
  let messages: String
}

/// The built command, run as a process in a working folder of its own.
final class Command {
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Beside the test bundle, or in the default build folder.
  static let executable: URL? = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    var folders = [repository.appendingPathComponent(".build/debug")]
    for start in [own, bundle] {
      var folder = start.deletingLastPathComponent()
      for _ in 0..<4 {
        folders.insert(folder, at: 0)
        folder.deleteLastPathComponent()
      }
    }
    return folders.map { $0.appendingPathComponent("ridgeline") }.first { file in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) && !isFolder.boolValue
        && FileManager.default.isExecutableFile(atPath: file.path)
    }
  }()

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("command-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Runs the command to its end.
  func run(_ arguments: [String], data: String? = nil) throws -> Outcome {
    let running = try start(arguments, data: data)
    return try running.wait()
  }

  /// Runs a command line whose words hold no spaces.
  func run(_ line: String) throws -> Outcome { try run(line.split(separator: " ").map(String.init)) }

  /// Starts the command and returns at once.
  func start(_ arguments: [String], data: String? = nil) throws -> Running {
    try Running(
      executable: try #require(Self.executable, "the command is not built"), arguments: arguments, folder: folder,
      data: data ?? Self.repository.path)
  }

  /// Runs a line of shell in the working folder, to its end.
  func shell(_ line: String) throws -> Outcome {
    let running = try Running(
      executable: URL(fileURLWithPath: "/bin/bash"), arguments: ["-c", line], folder: folder,
      data: Self.repository.path)
    return try running.wait()
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
  }

  /// Names of the files in the working folder.
  var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() }
}

/// A run that goes on.
final class Running {
  private let process = Process()
  private let output: URL
  private let messages: URL

  init(executable: URL, arguments: [String], folder: URL, data: String) throws {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("streams-" + UUID().uuidString)
    output = scratch.appendingPathExtension("out")
    messages = scratch.appendingPathExtension("err")
    for stream in [output, messages] { try Data().write(to: stream) }
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ["RIDGELINE_DATA": data, "PATH": "/usr/bin:/bin", "COLUMNS": "120"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: messages)
    // Threads that run tests may block signals, and a child inherits what they block.
    var interrupts = sigset_t()
    sigemptyset(&interrupts)
    sigaddset(&interrupts, SIGINT)
    pthread_sigmask(SIG_UNBLOCK, &interrupts, nil)
    try process.run()
  }

  deinit {
    if process.isRunning { process.terminate() }
    for stream in [output, messages] { try? FileManager.default.removeItem(at: stream) }
  }

  func interrupt() { process.interrupt() }

  func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  var isRunning: Bool { process.isRunning }

  func wait() throws -> Outcome {
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      messages: String(decoding: try Data(contentsOf: messages), as: UTF8.self))
  }
}

/// Expects one clear message on stderr, nothing on stdout, and no file left behind.
func expectRefusal(
  _ outcome: Outcome, code: Int32, _ parts: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.code == code, "\(outcome.messages)", sourceLocation: sourceLocation)
  #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
  #expect(outcome.messages.hasPrefix("Error: "), "\(outcome.messages)", sourceLocation: sourceLocation)
  for part in parts {
    #expect(outcome.messages.contains(part), "\(outcome.messages)", sourceLocation: sourceLocation)
  }
}

/// Records of a CSV text without quoted fields.
func records(_ text: String) -> [[String]] {
  text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
}

/// The one record of a CSV text by column.
func record(_ text: String) throws -> [String: String] {
  let lines = records(text)
  try #require(lines.count == 2 && lines[0].count == lines[1].count)
  return Dictionary(zip(lines[0], lines[1]), uniquingKeysWith: { first, _ in first })
}

/// Whether a CSV field says the same number; Foundation's JSON reader is not exact in the last digit.
func agrees(_ field: String?, _ number: NSNumber) -> Bool {
  guard let value = field.flatMap({ Double($0) }) else { return false }
  return abs(value - number.doubleValue) <= 1e-12 * abs(value)
}

/// The objects of a JSON array.
func objects(_ text: String) throws -> [[String: Any]] {
  try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
}
