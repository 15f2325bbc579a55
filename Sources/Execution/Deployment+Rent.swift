import ModelGraph
import Quantities

extension Deployment {
  /// Rent of all devices that a plan uses, where their files give an hourly price, without the memory that a cache takes
  /// elsewhere. Processors come with the device they serve; their memory and drives do where no file prices them.
  package var rent: DollarsPerHour? { rent(keeping: .zero) }

  /// The same with the memory that a batch's cache takes on hosts.
  package func rent(for batch: BatchCase) -> DollarsPerHour? {
    guard placement != nil else { return hourlyPrice }
    let ledger = memoryLedger()
    let sequences = min(batch.sequences, max(1, ledger.largestBatch(batch)))
    return rent(keeping: ledger.cache(of: batch) * Double(sequences))
  }

  /// - Parameter cache: Of one main device, wherever the plan keeps it.
  package func rent(keeping cache: Bytes) -> DollarsPerHour? {
    guard let placement else { return hourlyPrice }
    guard hourlyPrice != nil else { return nil }
    return placement.rent(keeping: cache * Double(parallelism.tensor))
  }

  /// Rent of all that a batch uses, for a time.
  package func price(of time: Seconds, for batch: BatchCase) -> Dollars? { rent(for: batch).map { $0 * time } }
}

extension Placement {
  func rent(keeping cache: Bytes) -> DollarsPerHour? {
    var rent = DollarsPerHour(0.0)
    for (index, site) in map.sites.sorted(by: { $0.key < $1.key }) {
      let place = machine.places[index]
      if let price = place.device.price?.hourly { rent += price * Double(site.units) }
      guard let price = place.device.price?.memoryHourly,
        let row = memory.rows.first(where: { $0.place == place.name })
      else { continue }
      let held = row.weights + row.experts + row.buffers + cache * row.cacheShare
      rent += price * (held / Self.gibibyte)
    }
    return rent > .zero ? rent : nil
  }

  private static let gibibyte = Bytes(1_073_741_824)
}
