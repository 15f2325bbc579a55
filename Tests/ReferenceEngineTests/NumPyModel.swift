import Documents
import Foundation
import TestSupport

@testable import ReferenceEngine

/// A small model that a script drew and computed with NumPy: files in every format, and the logits they must give.
struct NumPyModel {
  enum Kind: String, CaseIterable { case dense, tied, mixture }

  let folder: String

  /// Nothing where python3 or NumPy is missing.
  static func made(_ kind: Kind) -> NumPyModel? {
    switch kind {
    case .dense: dense
    case .tied: tied
    case .mixture: mixture
    }
  }

  private static let dense = try? NumPyModel(.dense)
  private static let tied = try? NumPyModel(.tied)
  private static let mixture = try? NumPyModel(.mixture)

  static var isAvailable: Bool { dense != nil }

  private init(_ kind: Kind) throws {
    folder = NSTemporaryDirectory() + "ridgeline-numpy-\(kind.rawValue)-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let script = URL(filePath: #filePath).deletingLastPathComponent().path + "/forward.py"
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script, folder, kind.rawValue]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.featureUnsupported) }
  }

  func tokens(_ format: WeightFormat) throws -> [Int32] {
    let data = try Data(contentsOf: URL(filePath: "\(folder)/tokens-\(format.rawValue).json"))
    return try JSONDecoder().decode([Int32].self, from: data)
  }

  /// Logits of every position.
  func logits(_ format: WeightFormat) throws -> [[Float]] {
    let data = try Data(contentsOf: URL(filePath: "\(folder)/logits-\(format.rawValue).bin"))
    let all = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let count = try tokens(format).count
    let width = all.count / count
    return (0..<count).map { Array(all[$0 * width..<($0 + 1) * width]) }
  }

  func checkpoint(_ format: WeightFormat) throws -> EngineModel {
    try EngineModel.checkpoint(folder: folder, formats: .init(projections: format, tables: format))
  }

  func gguf(_ format: WeightFormat) throws -> EngineModel {
    try EngineModel.gguf(path: "\(folder)/\(format.rawValue).gguf").model
  }
}

extension Engine {
  /// Logits after every token, from steps of given sizes.
  func logits(_ tokens: [Int32], steps: [Int]? = nil, sequence: CachedSequence = CachedSequence()) throws -> [[Float]] {
    var result: [[Float]] = []
    var first = 0
    for count in steps ?? Array(repeating: 1, count: tokens.count) {
      let chunk = Chunk(sequence, tokens: Array(tokens[first..<first + count]))
      result += try step([chunk]).map { Array($0) }
      first += count
    }
    return result
  }
}

/// The largest difference.
func distance(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
