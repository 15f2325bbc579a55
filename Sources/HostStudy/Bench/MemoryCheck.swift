import Execution
import Foundation
import Quantities
import ReferenceEngine

/// Memory that a model and a step took, beside the ledger's.
package struct MemoryCheck: Sendable {
  package let name: String
  package let measured: Bytes
  package let predicted: Bytes

  package var error: Double { predicted / measured - 1 }

  /// Loads a model, fills its cache and runs a prompt.
  package init(
    _ shape: HostShape, _ format: WeightFormat, tokens: Int, predicted ledger: (EngineModel) throws -> Bytes
  ) throws {
    let before = Self.resident
    let model = try shape.model(format)
    let engine = Engine(model, cacheBlocks: tokens / 16, pool: try WorkerPool())
    _ = try engine.step([
      Engine.Chunk(CachedSequence(), tokens: (0..<Int32(tokens)).map { $0 % Int32(shape.vocabulary) })
    ])
    measured = Self.resident - before
    predicted = try ledger(model)
    name = "\(shape.name), \(format.rawValue), a prompt of \(tokens)"
    withExtendedLifetime(engine) {}
  }

  /// Memory of this process now.
  private static var resident: Bytes {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
    return Bytes(pages * Double(sysconf(Int32(_SC_PAGESIZE))))
  }
}
