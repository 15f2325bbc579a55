import Documents
import Foundation
import Quantities
import ReferenceEngine
import Reporting

/// What was measured of a machine, and what the operating system said of it, as a CSV file.
enum MachineTable {
  private static let columns = ["kind", "name", "threads", "size_bytes", "value"]

  /// What a row holds; values are in FLOP/s, B/s, s, bytes and shares.
  private enum Kind: String, CaseIterable {
    case processor, cores, memory, cache, instructions
    case peak, bandwidth, latency, launch, computeNoise, memoryNoise
  }

  // MARK: Writing

  static func csv(_ facts: HostFacts, _ machine: MachineMeasurement) -> String {
    var table = ResultTable(columns: columns.map { ResultTable.Column($0) })
    func add(_ kind: Kind, _ name: String = "", threads: Int = 1, size: Bytes = .zero, value: Double = 0) {
      table.append([.text(kind.rawValue), .text(name), .int(threads), .number(size.value), .number(value)])
    }
    add(.processor, facts.processor)
    add(.instructions, facts.instructions.rawValue)
    add(.cores, value: Double(facts.cores))
    add(.memory, value: facts.memory.value)
    for cache in facts.caches { add(.cache, size: cache.size, value: Double(cache.level)) }
    for peak in machine.peaks { add(.peak, peak.format.rawValue, threads: peak.threads, value: peak.rate.value) }
    for item in machine.bandwidths {
      add(.bandwidth, threads: item.threads, size: item.workingSet, value: item.rate.value)
    }
    for item in machine.latencies { add(.latency, size: item.workingSet, value: item.time.value) }
    for item in machine.launches { add(.launch, threads: item.threads, value: item.time.value) }
    add(.computeNoise, value: machine.computeNoise)
    add(.memoryNoise, value: machine.memoryNoise)
    return MachineRenderer.csv(table)
  }

  // MARK: Reading

  /// - Throws: `DataError`, naming the line and column at fault.
  static func read(_ csv: CSVReader) throws -> (facts: HostFacts, machine: MachineMeasurement) {
    var (facts, machine) = (HostFacts(processor: "unnamed processor"), MachineMeasurement())
    let columns = try columns.map(csv.column)
    while try csv.next() {
      let row = Row(
        name: try csv.text(columns[1]), threads: try csv.int(columns[2], in: 1...1024),
        size: Bytes(try csv.double(columns[3], in: 0...1e18)), value: try csv.double(columns[4], in: 0...1e18))
      guard let kind = Kind(rawValue: try csv.text(columns[0])) else {
        let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        throw csv.error(columns[0], "found '\(try csv.text(columns[0]))', expected one of \(names)")
      }
      switch kind {
      case .processor: facts.processor = row.name
      case .cores: facts.cores = Int(row.value)
      case .memory: facts.memory = Bytes(row.value)
      case .cache: facts.caches.append(HostFacts.Cache(level: Int(row.value), size: row.size))
      case .instructions:
        guard let set = InstructionSet(rawValue: row.name) else { throw csv.error(columns[1], "found '\(row.name)'") }
        facts.instructions = set
      case .peak:
        guard let format = NumberFormat(rawValue: row.name) else { throw csv.error(columns[1], "found '\(row.name)'") }
        machine.peaks.append(.init(format: format, threads: row.threads, rate: FLOPsPerSecond(row.value)))
      case .bandwidth:
        machine.bandwidths.append(
          .init(threads: row.threads, workingSet: row.size, rate: BytesPerSecond(row.value)))
      case .latency: machine.latencies.append(.init(workingSet: row.size, time: Seconds(row.value)))
      case .launch: machine.launches.append(.init(threads: row.threads, time: Seconds(row.value)))
      case .computeNoise: machine.computeNoise = row.value
      case .memoryNoise: machine.memoryNoise = row.value
      }
    }
    return (facts, machine)
  }

  private struct Row {
    let name: String
    let threads: Int
    let size: Bytes
    let value: Double
  }
}

/// Everything measured of this machine in one go: kept in a folder, it can be fitted and scored again at any time.
package struct HostMeasurement: Sendable {
  package var facts: HostFacts
  package var machine: MachineMeasurement
  package var samples: [HostSample]

  package init(facts: HostFacts, machine: MachineMeasurement, samples: [HostSample]) {
    self.facts = facts
    self.machine = machine
    self.samples = samples
  }

  /// - Throws: `DataError` where a file is missing or has a fault.
  package init(folder: String) throws {
    (facts, machine) = try MachineTable.read(CSVReader(path: folder + "/machine.csv"))
    samples = try SampleTable.read(path: folder + "/samples.csv")
  }

  package func write(folder: String) throws {
    try HostFiles.write(MachineTable.csv(facts, machine), folder + "/machine.csv")
    try HostFiles.write(SampleTable.csv(samples), folder + "/samples.csv")
  }
}
