import Foundation

/// Memory straight from the operating system: aligned to pages, zero, and given back at once.
enum AlignedMemory {
  /// - Precondition: What is asked for was checked against the size of a file or of the machine's memory.
  static func zeroed(bytes: Int) -> UnsafeMutableRawPointer {
    let size = size(bytes)
    // Large pieces begin where a huge page does, which what is mapped beyond them makes room for.
    let room = size < hugePage ? 0 : hugePage
    let mapped = mmap(nil, size + room, PROT_READ | PROT_WRITE, MAP_PRIVATE | flag, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { preconditionFailure("out of memory: \(bytes) bytes") }
    guard room > 0 else { return mapped }
    let address = mapped.alignedUp(toMultipleOf: hugePage)
    let before = address - mapped
    if before > 0 { munmap(mapped, before) }
    if room > before { munmap(address + size, room - before) }
    adviseHugePages(address, size)
    return address
  }

  /// Pages of 4 KiB lie anywhere: one model's weights then come a quarter slower than another's, by chance, for what
  /// looking up addresses costs.
  private static func adviseHugePages(_ address: UnsafeMutableRawPointer, _ size: Int) {
    #if os(Linux)
      _ = madvise(address, size, MADV_HUGEPAGE)
    #endif
  }

  /// Of x86-64, and of 64-bit ARM with pages of 4 KiB.
  private static let hugePage = 2 << 20
  private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))

  static func release(_ address: UnsafeMutableRawPointer, bytes: Int) { munmap(address, size(bytes)) }

  /// Whole pages, and room for a vector that reads past the end.
  private static func size(_ bytes: Int) -> Int { (bytes + 128 + page - 1) / page * page }

  #if os(Linux)
    private static let flag = Int32(MAP_ANONYMOUS)
  #else
    private static let flag = MAP_ANON
  #endif

  /// Memory of this machine, in bytes.
  static var physical: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }
}
