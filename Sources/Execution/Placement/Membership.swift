import ModelGraph
import Quantities

/// What a pipeline does without one of its members, and what it takes to come to that.
package struct MembershipRow: Sendable {
  /// The place that has failed; nothing for all of them at work.
  package var lost: String?
  /// Time of the step; nothing when the others cannot hold the layers.
  package var time: Seconds?
  /// Layers of each place, in the order tokens pass them.
  package var layers: [(place: String, count: Int)] = []
  /// Weights that places must load because layers changed hands when it fails, and how long that takes.
  package var loaded: Bytes = .zero
  package var loading: Seconds = .zero
  /// The same when it comes back.
  package var reloaded: Bytes = .zero
  package var reloading: Seconds = .zero
  /// Why the others cannot go on.
  package var reason: String?
}

extension PlacementPlan {
  /// The plan with the layers of failed members left to the search.
  /// - Throws: ``PlacementError`` or ``MachineError``.
  func withoutLost(on machine: Machine) throws -> PlacementPlan {
    guard !without.isEmpty else { return self }
    var plan = self
    for name in without {
      let place = try? machine.resolve(name)
      let before = plan.stages.count
      plan.stages.removeAll { (try? machine.resolve($0.at)) == place }
      guard place != nil, plan.stages.count < before else {
        throw PlacementError.noSuchMember(plan: self.name, name: name, members: plan.stages.map(\.at))
      }
    }
    guard !plan.stages.isEmpty else { throw PlacementError.nobodyLeft(plan: name) }
    for index in plan.stages.indices { plan.stages[index].layers = StageSearch.open }
    plan.without = []
    return plan
  }
}

extension Placement {
  /// The step with all members at work, then without each of them in turn.
  package func memberships(_ step: StepShape) -> [MembershipRow] {
    var rows = [row(nil, self, step)]
    for place in Set(stages.map(\.place)).sorted() {
      let name = machine.places[place].name
      do { rows.append(row(name, try losing(name), step)) } catch {
        rows.append(MembershipRow(lost: name, reason: "\(error)"))
      }
    }
    return rows
  }

  private func losing(_ name: String) throws -> Placement {
    var plan = plan
    plan.without = [name]
    let left = try plan.withoutLost(on: machine)
    return try Placement(StageSearch(plan: left, machine: machine, parts: parts).filled(), on: machine, parts)
  }

  private func row(_ lost: String?, _ other: Placement, _ step: StepShape) -> MembershipRow {
    let (loads, returns) = (other.loads(after: self), loads(after: other))
    return MembershipRow(
      lost: lost, time: other.schedule(step).time,
      layers: other.stages.map { (machine.places[$0.place].name, $0.layers.count) },
      loaded: loads.sum { $0.bytes }, loading: loads.map(\.time).max() ?? .zero,
      reloaded: returns.sum { $0.bytes }, reloading: returns.map(\.time).max() ?? .zero)
  }

  private struct Loading {
    var bytes: Bytes
    var time: Seconds
  }

  /// Weights that each place keeps now and did not hold before: from its drive, or over the network from the first
  /// place, at what copies reach.
  private func loads(after before: Placement) -> [Loading] {
    let each = graph.weightParts.dense * (1 / Double(graph.model.decoder.layerCount))
    return Set(stages.map(\.place)).sorted().compactMap { place in
      let held = before.layers(on: place)
      let own = stages.filter { $0.place == place }
      let bytes = own.sum { each * (Double($0.layers.filter { !held.contains($0) }.count) * $0.resident) }
      guard bytes > .zero else { return nil }
      return Loading(bytes: bytes, time: bytes / rate(to: place, from: own.compactMap(\.store).first))
    }
  }

  private func layers(on place: Int) -> Set<Int> {
    stages.filter { $0.place == place }.reduce(into: []) { $0.formUnion($1.layers) }
  }

  private func rate(to place: Int, from store: Int?) -> BytesPerSecond {
    if let read = store.flatMap({ machine.places[$0].device.storage?.read }) { return read * plan.copies.storage }
    let others = machine.places.indices.filter { machine.places[$0].node != machine.places[place].node }
    let ways = others.compactMap { try? machine.path(from: $0, to: place) }.filter { !$0.isEmpty }
    let rates = ways.compactMap { hops in hops.map { machine.wires[$0.wire].bandwidth }.min() }
    return rates.max().map { $0 * plan.copies.network } ?? machine.places[place].device.mainMemory?.bandwidth
      ?? BytesPerSecond(1)
  }
}
