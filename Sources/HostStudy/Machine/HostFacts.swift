import Foundation
import Quantities
import ReferenceEngine

/// What the operating system says of this machine.
package struct HostFacts: Sendable {
  package struct Cache: Sendable, Equatable {
    package let level: Int
    package let size: Bytes
  }

  package let processor: String
  package let cores: Int
  package let memory: Bytes
  /// Data caches, innermost first.
  package let caches: [Cache]
  package let instructions: InstructionSet

  package init() {
    let info = ProcessInfo.processInfo
    cores = info.activeProcessorCount
    memory = Bytes(Int(clamping: info.physicalMemory))
    instructions = .best
    processor = Self.processorName()
    caches = Self.dataCaches()
  }

  private static func processorName() -> String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    return name.flatMap { $0.isEmpty ? nil : $0 } ?? "unnamed processor"
  }

  private static func dataCaches() -> [Cache] {
    let folder = "/sys/devices/system/cpu/cpu0/cache/index"
    func text(_ index: Int, _ name: String) -> String? {
      (try? String(contentsOfFile: "\(folder)\(index)/\(name)", encoding: .utf8))?.trimmingCharacters(in: .newlines)
    }
    return (0..<8).compactMap { index in
      guard let kind = text(index, "type"), kind != "Instruction",
        let level = text(index, "level").flatMap({ Int($0) }),
        let size = text(index, "size"), size.hasSuffix("K"), let kilobytes = Int(size.dropLast())
      else { return nil }
      return Cache(level: level, size: Bytes(kilobytes * 1024))
    }
  }
}
