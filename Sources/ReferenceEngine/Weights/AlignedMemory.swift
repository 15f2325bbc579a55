import Foundation

/// Memory straight from the operating system: aligned to pages, zero, and given back at once.
enum AlignedMemory {
  /// - Precondition: What is asked for was checked against the size of a file or of the machine's memory.
  static func zeroed(bytes: Int) -> UnsafeMutableRawPointer {
    let address = mmap(nil, size(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | flag, -1, 0)
    guard let address, address != MAP_FAILED else { preconditionFailure("out of memory: \(bytes) bytes") }
    return address
  }

  static func release(_ address: UnsafeMutableRawPointer, bytes: Int) { munmap(address, size(bytes)) }

  /// At least a page, and room for a vector that reads past the end.
  private static func size(_ bytes: Int) -> Int { bytes + 128 }

  #if os(Linux)
    private static let flag = Int32(MAP_ANONYMOUS)
  #else
    private static let flag = MAP_ANON
  #endif

  /// Memory of this machine, in bytes.
  static var physical: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }
}
