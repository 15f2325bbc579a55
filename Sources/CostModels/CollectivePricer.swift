import ModelGraph

/// Prices messages between devices: alpha-beta times over the links inside a node and between nodes, where all ranks of
/// a node share its links.
struct CollectivePricer: Sendable {
  private let perNode: Int?
  private let peerPath: LinkPath
  private let nodePath: LinkPath?
  private let constants: Constants

  init(platform: Platform, constants: Constants) {
    perNode = platform.perNode
    peerPath = platform.peerPath
    nodePath = platform.nodePath
    self.constants = constants
  }

  /// Fixed and size-dependent time of a message.
  struct Transfer {
    var start = 0.0
    var time = 0.0

    static func += (a: inout Transfer, b: Transfer) {
      a.start += b.start
      a.time += b.time
    }

    var total: Double { start + time }
  }

  func time(_ shape: CollectiveShape) -> Transfer {
    let perNode = perNode ?? shape.ranks * shape.stride
    let inside = max(1, min(shape.ranks, perNode / shape.stride))
    let nodes = shape.ranks.dividedUp(by: inside)
    let near = peerPath.among(min(perNode, inside * shape.stride), of: perNode)
    let far = nodes > 1 ? nodePath : nil
    let span = (ranks: Double(shape.ranks), inside: Double(inside), nodes: Double(nodes))
    let message = shape.message.value
    var cost = Transfer()
    switch shape.kind {
    case .allReduce:
      if inside > 1 { cost += allReduce(message, ranks: span.inside, near) }
      if let far { cost += ringAllReduce(message, ranks: span.nodes, far) }
    case .allGather:
      // What comes from other nodes is spread inside as well.
      if inside > 1 { cost += ring((span.ranks - 1) * message, ranks: span.inside, near) }
      if let far { cost += ring((span.nodes - 1) * span.inside * message, ranks: span.nodes, far) }
    case .allToAll:
      // What stays inside travels beside what leaves.
      if inside > 1 { cost = exchange((span.inside - 1) / span.ranks * message, near) }
      if let far {
        let leaving = (span.ranks - span.inside) / span.ranks * message
        let outside = exchange(leaving * span.inside * Double(shape.stride), far)
        if outside.total > cost.total { cost = outside }
      }
    case .pointToPoint:
      cost = hop(message, crossing: (span.nodes - 1) / max(1, span.ranks - 1), near, far)
    }
    return cost
  }

  // MARK: All-reduce

  /// Short messages go in one shot (every rank reads all others) or two (each sums a share, then gathers the sums),
  /// whichever is faster; long ones round a ring, which is never faster than the longest short one.
  private func allReduce(_ message: Double, ranks: Double, _ path: LinkPath) -> Transfer {
    let limit = constants[.collectiveDirectLimit]
    let short = directAllReduce(min(message, limit), ranks: ranks, path)
    guard message > limit else { return short }
    let long = ringAllReduce(message, ranks: ranks, path)
    return long.total >= short.total ? long : short
  }

  private func directAllReduce(_ message: Double, ranks n: Double, _ path: LinkPath) -> Transfer {
    let rate = constants[.collectiveLink] * path.bandwidth.value
    let one = Transfer(
      start: constants[.collectiveOneShotStart] + constants[.collectiveOneShotHop] * (n - 2) + path.latency.value,
      time: (n - 1) * message / rate)
    let two = Transfer(
      start: constants[.collectiveTwoShotStart] + constants[.collectiveHop] * (n - 2) + 2 * path.latency.value,
      time: 2 * (n - 1) / n * message / (rate * constants[.collectiveTwoShotLink]))
    return one.total <= two.total ? one : two
  }

  private func ringAllReduce(_ message: Double, ranks n: Double, _ path: LinkPath) -> Transfer {
    ring(2 * (n - 1) / n * message, ranks: n, path)
  }

  // MARK: Other messages

  /// Bytes that each rank of a ring sends on.
  private func ring(_ bytes: Double, ranks: Double, _ path: LinkPath) -> Transfer {
    Transfer(
      start: constants[.collectiveRingStart] + constants[.collectiveRingHop] * (ranks - 2) + path.latency.value,
      time: bytes / (constants[.collectiveRingLink] * path.bandwidth.value))
  }

  private func exchange(_ bytes: Double, _ path: LinkPath) -> Transfer {
    Transfer(
      start: constants[.exchangeStart] + path.latency.value,
      time: bytes / (constants[.exchangeLink] * path.bandwidth.value))
  }

  /// The mean hop of a pipeline, of which a share crosses nodes.
  private func hop(_ message: Double, crossing share: Double, _ near: LinkPath, _ far: LinkPath?) -> Transfer {
    let inside = single(message, near)
    guard let far else { return inside }
    let across = single(message, far)
    return Transfer(
      start: inside.start * (1 - share) + across.start * share, time: inside.time * (1 - share) + across.time * share)
  }

  /// A message from one device to another.
  private func single(_ bytes: Double, _ path: LinkPath) -> Transfer {
    Transfer(
      start: constants[.collectiveOneShotStart] + path.latency.value,
      time: bytes / (constants[.collectiveRingLink] * path.bandwidth.value))
  }
}
