import Quantities

extension Deployment {
  /// Rent of all devices that a plan uses, where their files give an hourly price; drives and processors that no file
  /// prices come with the device they serve.
  package var rent: DollarsPerHour? {
    guard let placement else { return hourlyPrice }
    guard hourlyPrice != nil else { return nil }
    return placement.rent
  }
}

extension Placement {
  var rent: DollarsPerHour? {
    var rent = DollarsPerHour(0.0)
    for (index, site) in map.sites.sorted(by: { $0.key < $1.key }) {
      guard let price = machine.places[index].device.price?.hourly else { continue }
      rent += price * Double(site.units)
    }
    return rent > .zero ? rent : nil
  }
}
