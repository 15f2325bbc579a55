import EventKernel
import Foundation
import Testing

@testable import Documents

/// The one message a faulty input is refused with; what happened instead when it was not.
func message(_ body: () throws -> some Any) -> String {
  do {
    return "accepted: \(try body())"
  } catch let error as DataError {
    return error.description
  } catch let error as UnknownName {
    return error.description
  } catch {
    return "unexpected \(type(of: error)): \(error)"
  }
}

/// Whether a message is one printable line.
func isOneLine(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy { scalar in
    scalar.properties.generalCategory != .control && scalar != "\u{2028}" && scalar != "\u{2029}"
  }
}

/// A folder that goes away with its last reference.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "documents-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

  var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Data files of the repository.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func bytes(_ path: String) throws -> [UInt8] { try TextFile.bytes(at: root.appendingPathComponent(path).path) }
}

/// Changes documents at random, a seed at a time.
struct Mutator {
  private var stream: RandomStream
  /// Bytes that mean something to the reader, so that mutations get past the first check.
  private let telling: [UInt8]

  init(seed: UInt64, name: String, telling: String) {
    stream = RandomStream(seed: seed, name: name)
    self.telling = Array(telling.utf8) + [0, 0xEF, 0xBB, 0xBF, 0xFF]
  }

  /// So many bytes of noise at most.
  mutating func noise(below limit: Int) -> [UInt8] {
    (0..<stream.integer(below: limit)).map { _ in stream.uniform() < 0.3 ? anyByte() : tellingByte() }
  }

  /// A document with one to five changes.
  mutating func mutated(_ document: [UInt8]) -> [UInt8] {
    var bytes = document
    for _ in 0...stream.integer(below: 5) where !bytes.isEmpty { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = stream.integer(below: bytes.count)
    let end = min(bytes.count, place + 1 + stream.integer(below: 40))
    switch stream.integer(below: 7) {
    case 0: bytes[place] = anyByte()
    case 1: bytes[place] = tellingByte()
    case 2: bytes.remove(at: place)
    case 3: bytes.insert(tellingByte(), at: place)
    case 4: bytes.removeSubrange(place..<end)
    case 5: bytes.removeLast(stream.integer(below: bytes.count))
    default: bytes.insert(contentsOf: bytes[place..<end], at: stream.integer(below: bytes.count))
    }
  }

  private mutating func anyByte() -> UInt8 { UInt8(stream.integer(below: 256)) }
  private mutating func tellingByte() -> UInt8 { telling[stream.integer(below: telling.count)] }
}
