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
    #expect(folder.contents == ["file"])
  }
}
