import Foundation
import Testing

@testable import Documents

@Suite struct OutputFileTests {
  @Test func `nothing appears under the name until the end`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/out.csv"
    let file = try OutputFile(path: path)
    try file.write(String(repeating: "x", count: 200_000))
    #expect(!folder.contents.contains("out.csv"))
    try file.write("end")
    try file.finish()
    #expect(folder.contents == ["out.csv"])
    #expect(try TextFile.bytes(at: path).count == 200_003)
  }

  @Test func `an abandoned file leaves nothing`() throws {
    let folder = try TemporaryFolder()
    do {
      let file = try OutputFile(path: folder.path + "/out.csv")
      try file.write(String(repeating: "x", count: 200_000))
    }
    #expect(folder.contents.isEmpty)
  }

  @Test func `an abandoned file leaves an older one as it was`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("out.csv", "old")
    do { try OutputFile(path: path).write("new") }
    #expect(folder.contents == ["out.csv"])
    #expect(try TextFile.document(at: path) == "old")
  }

  @Test func `a finished file replaces an older one`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("out.csv", "old and longer")
    let file = try OutputFile(path: path)
    try file.write("new")
    try file.finish()
    #expect(try TextFile.document(at: path) == "new")
  }

  @Test func `folders on the way are made`() throws {
    let folder = try TemporaryFolder()
    try OutputFile(path: folder.path + "/a/b/out.csv").finish()
    #expect(try TextFile.document(at: folder.path + "/a/b/out.csv").isEmpty)
  }

  @Test func `a place that cannot be written is refused by name`() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", "x")
    #expect(message { try OutputFile(path: file + "/out.csv") } == "\(file): cannot be created as a folder for results")
    #expect(message { try OutputFile(path: folder.path) } == "\(folder.path): is a folder, expected a file to write")
    #expect(message { try OutputFile(path: "/proc/out.csv") } == "/proc/out.csv: cannot be written (permission?)")
    #expect(message { try OutputFile(path: "") } == "'': is empty, expected the name of a file to write")
    #expect(folder.contents == ["file"])
  }

  /// Foundation's `deletingLastPathComponent` traps on such a name. The path leads nowhere, so nothing is written here.
  @Test(arguments: [".", "/"]) func `a name of one letter is handled like any other`(path: String) {
    #expect(message { try OutputFile(path: path) } == "\(path): is a folder, expected a file to write")
  }

  @Test func `a link is followed, not replaced`() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("target.csv", "old")
    let link = folder.path + "/link.csv"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
    let file = try OutputFile(path: link)
    try file.write("new")
    try file.finish()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
    #expect(try String(decoding: TextFile.bytes(at: target), as: UTF8.self) == "new")
  }

  @Test func `a pipe is written to, not replaced`() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDWR | O_NONBLOCK)
    defer { close(reader) }
    let file = try OutputFile(path: pipe)
    try file.write("through")
    try file.finish()
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(read(reader, &bytes, 16) == 7)
    #expect(String(decoding: bytes.prefix(7), as: UTF8.self) == "through")
    #expect(!FileManager.default.fileExists(atPath: pipe + ".partial"))
  }

  @Test func `a result does not replace the file it is computed from`() throws {
    let folder = try TemporaryFolder()
    let input = try folder.write("cases.csv", "a,b")
    #expect(throws: DataError.self) { try OutputFile.refuse(folder.path + "/./cases.csv", replacing: input) }
    try OutputFile.refuse(folder.path + "/other.csv", replacing: input)
    try OutputFile.refuse(nil, replacing: input)
  }
}
