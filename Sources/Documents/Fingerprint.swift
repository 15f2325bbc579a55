import Foundation

/// A 64-bit hash of bytes by FNV-1a: tells whether something changed, not who changed it.
package struct Fingerprint: Sendable, Equatable {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  package init(_ text: String) { add(text) }

  /// Adds text, and an end that no other split of the same texts has.
  package mutating func add(_ text: String) {
    for byte in text.utf8 { mix(byte) }
    mix(0xff)
  }

  package mutating func add(_ bytes: [UInt8]) {
    for byte in bytes { mix(byte) }
    mix(0xff)
  }

  private mutating func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

  /// Sixteen hexadecimal digits.
  package var text: String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Of all files below some folders, in the order of their names.
  /// - Throws: `DataError` for a file that cannot be read.
  package static func ofFiles(below folders: [String]) throws -> Fingerprint {
    var print = Fingerprint()
    for folder in folders {
      for name in (FileManager.default.subpaths(atPath: folder) ?? []).sorted() {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder), !isFolder.boolValue
        else { continue }
        print.add(name)
        print.add(try TextFile.bytes(at: folder + "/" + name))
      }
    }
    return print
  }
}
