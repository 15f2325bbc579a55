import Testing

@testable import Documents

@Suite struct TextFileTests {
  private func text(_ bytes: [UInt8]) -> String { message { try TextFile.text(bytes, file: "a.txt") } }

  @Test func `a byte order mark is dropped once`() throws {
    #expect(try TextFile.text([0xEF, 0xBB, 0xBF, 0x61], file: "a.txt") == "a")
  }

  @Test func `bytes that are not UTF-8 are refused at their line`() {
    #expect(text(Array("one\ntwo\n".utf8) + [0xFF]) == "a.txt:3: is not UTF-8 text")
    #expect(text([0xC3]) == "a.txt:1: is not UTF-8 text")
    #expect(text([0xED, 0xA0, 0x80]) == "a.txt:1: is not UTF-8 text", "a lone surrogate")
    #expect(text([0xC0, 0x80]) == "a.txt:1: is not UTF-8 text", "an overlong NUL")
    #expect(text(Array("a".utf16.flatMap { [UInt8(0xFF), 0xFE, UInt8($0), 0] })).contains("is not UTF-8 text"))
  }

  @Test func `a NUL byte is refused at its line`() {
    #expect(text(Array("one\ntwo\0\n".utf8)) == "a.txt:2: contains a NUL byte, expected text")
  }

  @Test func `a file that is not there, is a folder or is too large is refused by name`() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("a.txt", "12345")
    #expect(message { try TextFile.bytes(at: folder.path + "/b.txt") } == "\(folder.path)/b.txt: no such file")
    #expect(message { try TextFile.bytes(at: folder.path) } == "\(folder.path): is a folder, expected a file")
    #expect(message { try TextFile.bytes(at: file, limit: 4) } == "\(file): is larger than 4 bytes")
    #expect(try TextFile.document(at: file) == "12345")
    #expect(message { try CSVReader(path: folder.path) } == "\(folder.path): is a folder, expected a file")
    #expect(message { try CSVReader(path: folder.path + "/b") } == "\(folder.path)/b: no such file")
  }
}
