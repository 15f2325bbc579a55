import Foundation
import Testing

@testable import ReferenceEngine

@Suite struct AlignedMemoryTests {
  private static let hugePage: UInt = 2 << 20

  @Test(arguments: [1, 4096, 1 << 20, (2 << 20) - 128, 2 << 20, (5 << 20) + 12_345])
  func `memory is zero, can be written to its end, and large pieces begin where a huge page does`(bytes: Int) {
    let address = AlignedMemory.zeroed(bytes: bytes)
    defer { AlignedMemory.release(address, bytes: bytes) }
    let words = address.assumingMemoryBound(to: UInt8.self)
    #expect(words[0] == 0 && words[bytes - 1] == 0 && words[bytes + 127] == 0)
    words[bytes - 1] = 1
    let isLarge = bytes + 128 >= Int(Self.hugePage)
    #expect(UInt(bitPattern: address) % (isLarge ? Self.hugePage : 4096) == 0)
  }

  @Test func `what is released is given back, however often`() throws {
    let bytes = 8 << 20
    let before = try resident()
    for _ in 0..<300 {
      let address = AlignedMemory.zeroed(bytes: bytes)
      for offset in stride(from: 0, to: bytes, by: 4096) {
        address.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
      }
      AlignedMemory.release(address, bytes: bytes)
    }
    // 2.4 GB passed through; other tests run beside this one.
    #expect(try resident() - before < 1 << 30)
  }

  /// Bytes of this process in memory; zero where the system does not say.
  private func resident() throws -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    return 4096 * (try #require(Int(text.split(separator: " ")[1])))
  }
}
