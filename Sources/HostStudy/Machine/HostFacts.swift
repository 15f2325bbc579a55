import Foundation
import Quantities
import ReferenceEngine

/// What the operating system says of this machine.
package struct HostFacts: Sendable {
  package struct Cache: Sendable, Equatable {
    package let level: Int
    package let size: Bytes
  }

  package internal(set) var processor: String
  package internal(set) var cores: Int
  package internal(set) var memory: Bytes
  /// Data caches, innermost first.
  package internal(set) var caches: [Cache]
  package internal(set) var instructions: InstructionSet

  /// A machine that is yet to be described.
  init(processor: String) {
    self.processor = processor
    (cores, memory, caches, instructions) = (1, .zero, [], .portable)
  }

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
