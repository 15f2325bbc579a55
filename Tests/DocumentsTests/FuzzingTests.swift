import Hardware
import ModelGraph
import Testing

@testable import Documents

/// Bounded fuzzing: whatever the bytes, a document is read or refused with a `DataError` of one line.
@Suite struct FuzzingTests {
  /// What is wrong with a reader's answer; nothing when it accepted or refused properly.
  private func complaint(_ read: () throws -> Void) -> String? {
    do {
      try read()
      return nil
    } catch let error as DataError {
      return isOneLine(error.description) && error.description.count < 1100 ? nil : "message: \(error)"
    } catch {
      return "unexpected \(type(of: error)): \(error)"
    }
  }

  private func device(_ bytes: [UInt8]) -> String? {
    complaint {
      let text = try TextFile.text(bytes, file: "fuzz.yaml")
      _ = try Device.parse(YAMLDocument.parse(text, file: "fuzz.yaml"), name: "h100-sxm")
    }
  }

  private func model(_ bytes: [UInt8]) -> String? {
    complaint {
      let text = try TextFile.text(bytes, file: "fuzz.json")
      let model = try ModelReader.model(from: JSONDocument.parse(text, file: "fuzz.json"), name: "fuzz")
      guard model.parameterCount >= 0 else { throw DataError(file: "fuzz.json", problem: "\n") }
    }
  }

  private func cases(_ bytes: [UInt8]) -> String? {
    complaint {
      let csv = try CSVReader(bytes: bytes, file: "fuzz.csv")
      while try csv.next() {
        for column in csv.header.indices { _ = try csv.text(column) }
        _ = try? csv.int(0, in: 1...100_000)
        _ = try? csv.double(0, in: 0...1)
      }
    }
  }

  private static let yaml = "{}[]\"':,-+.eE09\n\r \t?!&*#|>%@a"
  private static let json = "{}[]\":,-+.eE09\n \\truefalsn"
  private static let csv = "\",\n\r09.eE- "

  @Test func `random bytes are refused by every reader`() {
    var mutator = Mutator(seed: 1, name: "noise", telling: Self.yaml + Self.json)
    for _ in 0..<3000 {
      let bytes = mutator.noise(below: 200)
      #expect(device(bytes) == nil, "\(bytes)")
      #expect(model(bytes) == nil, "\(bytes)")
      #expect(cases(bytes) == nil, "\(bytes)")
    }
  }

  @Test(arguments: ["h100-sxm", "samsung-smartssd"])
  func `mutated device files are read or refused`(name: String) throws {
    let valid = try Repository.bytes("Hardware/Devices/\(name).yaml")
    var mutator = Mutator(seed: 2, name: name, telling: Self.yaml)
    for _ in 0..<1500 {
      let bytes = mutator.mutated(valid)
      #expect(device(bytes) == nil, "\(String(decoding: bytes, as: UTF8.self))")
    }
  }

  @Test(arguments: ["llama-3-8b", "deepseek-v3", "gemma-3-27b", "falcon-h1-7b", "gpt-oss-20b"])
  func `mutated model configurations are read or refused`(name: String) throws {
    let valid = try Repository.bytes("Workloads/Models/\(name)/config.json")
    var mutator = Mutator(seed: 3, name: name, telling: Self.json)
    for _ in 0..<1000 {
      let bytes = mutator.mutated(valid)
      #expect(model(bytes) == nil, "\(String(decoding: bytes, as: UTF8.self))")
    }
  }

  @Test func `mutated tables are read or refused`() {
    let valid = Array("device,model,note\r\nh100-sxm,llama-3-8b,\"a \"\"b\"\"\nc\"\n1,2,3\n\n4,5,6".utf8)
    var mutator = Mutator(seed: 4, name: "csv", telling: Self.csv)
    for _ in 0..<5000 {
      let bytes = mutator.mutated(valid)
      #expect(cases(bytes) == nil, "\(bytes)")
    }
  }

  @Test func `a device file cut anywhere is read or refused`() throws {
    let valid = try Repository.bytes("Hardware/Devices/t4.yaml")
    for end in stride(from: 0, through: valid.count, by: 3) {
      #expect(device(Array(valid[..<end])) == nil, "cut at \(end)")
    }
  }

  @Test func `a configuration cut anywhere is read or refused`() throws {
    let valid = try Repository.bytes("Workloads/Models/llama-3-8b/config.json")
    for end in 0..<valid.count { #expect(model(Array(valid[..<end])) == nil, "cut at \(end)") }
  }
}
