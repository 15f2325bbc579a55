import Documents
import EventKernel
import Foundation
import Testing

@testable import ReferenceEngine

/// Files that lie about their sizes are refused with a message, and never bring the program down.
@Suite struct HostileFileTests {
  private func refused(_ bytes: [UInt8], saying part: String, _ name: String = "x.gguf") throws {
    let folder = try ScratchFolder()
    let path = try folder.write(name, bytes)
    do {
      if name.hasSuffix("gguf") { _ = try EngineModel.gguf(path: path) } else { _ = try SafetensorsFile(path: path) }
      Issue.record("was read: expected an error saying \(part)")
    } catch let error as DataError {
      #expect(error.description.contains(part), "\(error)")
    }
  }

  @Test func `headers of GGUF files are checked`() throws {
    try refused([1, 2, 3, 4, 5, 6, 7, 8], saying: "does not begin with 'GGUF'")
    try refused(Array("GGUF".utf8), saying: "ends within the version")
    try refused(GGUFBytes(version: 1).bytes, saying: "version 1, expected 2 or 3")
    try refused(GGUFBytes(version: 0x0300_0000).bytes, saying: "version 50331648")
    var many = GGUFBytes()
    many.tensorCount = .max
    try refused(many.bytes, saying: "the number of tensors is 18446744073709551615, but only")
    many = GGUFBytes()
    many.entryCount = 1 << 40
    try refused(many.bytes, saying: "the number of metadata entries is 1099511627776")
  }

  @Test func `metadata of GGUF files is checked`() throws {
    try refused(GGUFBytes().entry("k", 8) { $0.number(UInt64.max) }.bytes, saying: "the length of 'k'")
    try refused(GGUFBytes().entry("k", 99) { $0.number(UInt32(0)) }.bytes, saying: "value type 99")
    try refused(GGUFBytes().entry("k", 7) { $0.bytes.append(2) }.bytes, saying: "found the flag 2")
    try refused(
      GGUFBytes().entry("k", 9) {
        $0.number(UInt32(9))
        $0.number(UInt64(1))
      }.bytes, saying: "is a list of the value type 9")
    try refused(
      GGUFBytes().entry("k", 9) {
        $0.number(UInt32(4))
        $0.number(UInt64(1) << 62)
      }.bytes, saying: "the length of 'k' is 4611686018427387904")
    try refused(
      GGUFBytes().entry("k", 4) { $0.number(UInt32(1)) }.entry("k", 4) { $0.number(UInt32(1)) }.bytes,
      saying: "k: appears twice")
    try refused(GGUFBytes().bytes, saying: "general.architecture: is missing")
    try refused(GGUFBytes().text("general.architecture", "mamba").bytes, saying: "found 'mamba', expected llama")
  }

  @Test func `tensors of GGUF files are checked against the file`() throws {
    func tensor(_ shape: [UInt64], _ type: UInt32, _ offset: UInt64) -> [UInt8] {
      GGUFBytes().text("general.architecture", "llama").tensor("t", shape, type, offset).bytes
    }
    try refused(tensor([8, 8], 0, 0), saying: "t: needs 256 bytes at 0, but the file has 0 bytes of tensors")
    try refused(tensor([1 << 39, 1 << 39], 0, 0), saying: "has more elements than any real tensor")
    try refused(tensor([UInt64.max], 0, 0), saying: "has a dimension of 18446744073709551615 elements")
    try refused(tensor([0], 0, 0), saying: "has a dimension of 0 elements")
    try refused(tensor([33], 8, 0), saying: "rows of 33 elements, which blocks of 32 do not divide")
    try refused(tensor([1], 0, 7), saying: "no multiple of the alignment 32")
    try refused(tensor([1], 0, UInt64.max - 31), saying: "t: needs 4 bytes at")
    try refused(tensor(Array(repeating: 1, count: 5), 0, 0), saying: "has 5 dimensions")
    try refused(
      GGUFBytes().entry("general.alignment", 4) { $0.number(UInt32(48)) }.tensor("t", [1], 0, 0).bytes,
      saying: "expected a power of two")
  }

  @Test func `headers of safetensors files are checked`() throws {
    func file(_ json: String, data: Int = 16) -> [UInt8] {
      var bytes = GGUFBytes.Writer()
      bytes.number(UInt64(json.utf8.count))
      return bytes.bytes + Array(json.utf8) + Array(repeating: 0, count: data)
    }
    func entry(_ dtype: String, _ shape: String, _ offsets: String) -> [UInt8] {
      file("{\"t\": {\"dtype\": \"\(dtype)\", \"shape\": \(shape), \"data_offsets\": \(offsets)}}")
    }
    let name = "x.safetensors"
    try refused([1, 2, 3], saying: "ends within the length of the header", name)
    try refused(Array(repeating: 255, count: 16), saying: "the length of the header is 18446744073709551615", name)
    try refused(file("{"), saying: "is not JSON", name)
    try refused(entry("I64", "[1]", "[0, 8]"), saying: "found 'I64', expected F32, F16 or BF16", name)
    try refused(entry("F32", "[4]", "[0, 32]"), saying: "within the 16 bytes of tensors", name)
    try refused(entry("F32", "[4]", "[16, 0]"), saying: "within the 16 bytes", name)
    try refused(entry("F32", "[3]", "[0, 16]"), saying: "spans 16 bytes, but the shape needs 12", name)
    try refused(entry("F32", "[1099511627776, 1099511627776]", "[0, 16]"), saying: "more elements", name)
    try refused(entry("F32", "[-1]", "[0, 16]"), saying: "found -1", name)
    let overlap =
      #"{"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}, "#
      + #""b": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}"#
    try refused(file(overlap), saying: "shares bytes with 'a'", name)
  }

  @Test func `tensors that are missing or of another shape are named`() throws {
    let given = try #require(NumPyModel.made(.dense), "needs python3 with NumPy")
    let folder = try ScratchFolder()
    let config = try String(contentsOfFile: given.folder + "/config.json", encoding: .utf8)
    try FileManager.default.copyItem(
      atPath: given.folder + "/model.safetensors", toPath: folder.path + "/a.safetensors")
    for (wanted, other, part) in [
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "model.layers.2.input_layernorm.weight: is missing"),
      ("\"vocab_size\": 83", "\"vocab_size\": 84", "has the shape 83 x 64, expected 84 x 64"),
      ("\"model_type\": \"llama\"", "\"model_type\": \"qwen3\"", "the reference engine runs Llama-like decoders"),
      ("\"head_dim\": 16", "\"head_dim\": 16", ""),
    ] where !part.isEmpty {
      #expect(config.contains(wanted))
      _ = try folder.write("config.json", Array(config.replacing(wanted, with: other).utf8))
      do {
        _ = try EngineModel.checkpoint(folder: folder.path)
        Issue.record("was read: expected an error saying \(part)")
      } catch let error as DataError {
        #expect(error.description.contains(part), "\(error)")
      }
    }
  }

  @Test func `damaged files are read or refused, and never crash`() throws {
    let given = try #require(NumPyModel.made(.mixture), "needs python3 with NumPy")
    let folder = try ScratchFolder()
    var stream = RandomStream(seed: 5, name: "damage")
    for name in ["q4_1.gguf", "q8_0.gguf", "model.safetensors"] {
      let whole = [UInt8](try Data(contentsOf: URL(filePath: given.folder + "/" + name)))
      var refusals = 0
      for round in 0..<150 {
        let bytes = Self.damaged(whole, round, &stream)
        let path = try folder.write(name, bytes)
        do {
          if name.hasSuffix("gguf") {
            _ = try EngineModel.gguf(path: path)
          } else {
            _ = try SafetensorsFile(path: path)
          }
        } catch is DataError { refusals += 1 }
      }
      #expect(refusals > 20)
    }
  }

  /// Cut short, or with some bytes of the header changed, often to extreme values.
  private static func damaged(_ whole: [UInt8], _ round: Int, _ stream: inout RandomStream) -> [UInt8] {
    func below(_ limit: Int) -> Int { Int(stream.bits() % UInt64(limit)) }
    if round % 5 == 0 { return Array(whole.prefix(1 + below(whole.count - 1))) }
    var bytes = whole
    for _ in 0...below(4) {
      let place = below(min(bytes.count - 8, round % 2 == 0 ? 600 : 4000))
      let value: UInt8 = [0, 255, 127, 128, UInt8(truncatingIfNeeded: stream.bits())][below(5)]
      for offset in 0...(round % 3 == 0 ? 7 : 0) { bytes[place + offset] = value }
    }
    return bytes
  }
}

/// A folder that goes away with the value.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "ridgeline-files-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: path + "/" + name))
    return path + "/" + name
  }
}

/// Spells GGUF files, true ones and others.
struct GGUFBytes {
  struct Writer {
    var bytes: [UInt8] = []

    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
      withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
    }

    mutating func text(_ text: String) {
      number(UInt64(text.utf8.count))
      bytes += Array(text.utf8)
    }
  }

  var version: UInt32 = 3
  var tensorCount: UInt64 = 0
  var entryCount: UInt64 = 0
  private var entries = Writer()
  private var tensors = Writer()

  init(version: UInt32 = 3) { self.version = version }

  func entry(_ key: String, _ type: UInt32, _ value: (inout Writer) -> Void) -> GGUFBytes {
    var copy = self
    copy.entryCount += 1
    copy.entries.text(key)
    copy.entries.number(type)
    value(&copy.entries)
    return copy
  }

  func text(_ key: String, _ value: String) -> GGUFBytes { entry(key, 8) { $0.text(value) } }

  func tensor(_ name: String, _ shape: [UInt64], _ type: UInt32, _ offset: UInt64) -> GGUFBytes {
    var copy = self
    copy.tensorCount += 1
    copy.tensors.text(name)
    copy.tensors.number(UInt32(shape.count))
    for width in shape { copy.tensors.number(width) }
    copy.tensors.number(type)
    copy.tensors.number(offset)
    return copy
  }

  /// The file, padded to where tensors would begin.
  var bytes: [UInt8] {
    var head = Writer()
    head.bytes = Array("GGUF".utf8)
    head.number(version)
    head.number(tensorCount)
    head.number(entryCount)
    let all = head.bytes + entries.bytes + tensors.bytes
    return tensorCount == 0 || tensorCount == .max ? all : all + Array(repeating: 0, count: (32 - all.count % 32) % 32)
  }
}
