import CostModels
import Hardware
@testable import ModelGraph
import Quantities
import TestSupport
import Testing

/// Messages over 10 GB/s, or what a test says.
@Suite struct CollectiveTests {
  private func time(
    _ kind: CollectiveShape.Kind, _ ranks: Int, _ bytes: Double, _ constants: [String: String] = [:],
    perNode: Int? = nil, nodePath: LinkPath? = nil, isMesh: Bool = false
  ) throws -> Double {
    let platform = try RoundDevice().platform(perNode: perNode, nodePath: nodePath, isMesh: isMesh)
    let pricer = OperatorPricer(
      platform: platform, constants: try TestCalibration.choice(for: platform.device, constants).constants)
    let shape = CollectiveShape.make(kind, ranks, bytes)
    return pricer.price(
      Operator(
        name: "message", kind: .collective(shape), count: 1, flops: .zero, traffic: ModelGraph.Traffic(),
        compute: .bf16)
    ).time.value
  }

  @Test func `an all-reduce between two moves the message once either way`() throws {
    #expect(near(try time(.allReduce, 2, 1e9), 0.1))
  }

  /// One shot: 5 us and 7 messages; two shots: 20 us, 1 us for each of 6 hops, and 1.75 messages.
  @Test func `small messages go in one shot and large ones in two, whichever is faster`() throws {
    let constants = [
      "collective_one_shot_start": "5 us", "collective_two_shot_start": "20 us", "collective_hop": "1 us",
    ]
    for bytes in [1e3, 1e4, 3.9e4, 4.1e4, 1e5, 1e7] {
      let one = 5e-6 + 7 * bytes / 10e9
      let two = 26e-6 + 1.75 * bytes / 10e9
      #expect(near(try time(.allReduce, 8, bytes, constants), min(one, two)), "\(bytes) B")
      // They cross at 21 us over 5.25 messages: 40 kB.
      #expect((one < two) == (bytes < 4e4))
    }
  }

  /// Up to 1 MB in one shot, 5 us and 3 messages; beyond, 100 us, 10 us for each rank past two, and 1.5 messages.
  @Test func `long messages go round a ring, never faster than short ones`() throws {
    let constants = [
      "collective_one_shot_start": "5 us", "collective_two_shot_start": "1 s", "collective_direct_limit": "1e6",
      "collective_ring_start": "100 us", "collective_ring_hop": "10 us",
    ]
    #expect(near(try time(.allReduce, 4, 1e6, constants), 5e-6 + 3e6 / 10e9))
    #expect(near(try time(.allReduce, 4, 1.001e6, constants), 5e-6 + 3e6 / 10e9))
    #expect(near(try time(.allReduce, 4, 1e8, constants), 120e-6 + 1.5e8 / 10e9))
  }

  @Test func `gathers, exchanges and hops move what each rank lacks`() throws {
    #expect(near(try time(.allGather, 8, 1e9), 0.7))
    #expect(near(try time(.allToAll, 8, 1e9), 0.0875))
    #expect(near(try time(.pointToPoint, 2, 1e9), 0.1))
    #expect(near(try time(.pointToPoint, 2, 1e9, ["collective_ring_link": "0.5"]), 0.2))
  }

  @Test func `ranks beyond a node talk over both levels`() throws {
    let wire = LinkPath(name: "net", bandwidth: BytesPerSecond(1e9), latency: Seconds(1e-3))
    // Two nodes of four: 1.5 messages at 10 GB/s inside, then one at 1 GB/s and 1 ms away.
    #expect(near(try time(.allReduce, 8, 1e9, perNode: 4, nodePath: wire), 0.15 + 1 + 1e-3))
    // Within a node the network is not used.
    #expect(near(try time(.allReduce, 4, 1e9, perNode: 4, nodePath: wire), 0.15))
  }

  /// Two of eight devices share one of a device's seven wires.
  @Test func `a part of a mesh has only the wires between its own`() throws {
    #expect(near(try time(.allReduce, 8, 1e9, perNode: 8, isMesh: true), 0.175))
    #expect(near(try time(.allReduce, 2, 1e9, perNode: 8, isMesh: true), 0.7))
    #expect(near(try time(.pointToPoint, 2, 1e9, perNode: 8, isMesh: true), 0.7))
    // A switch gives them its whole bandwidth.
    #expect(near(try time(.allReduce, 2, 1e9, perNode: 8), 0.1))
  }

  @Test func `a pair of MI300X has 64 GB/s a direction, as its system file says`() throws {
    let platform = try Repository.platform("mi300x-platform")
    #expect(platform.peerPath.isMesh)
    let pricer = OperatorPricer(
      platform: platform, constants: try TestCalibration.choice(for: platform.device).constants)
    let work = Operator(
      name: "message", kind: .collective(.make(.pointToPoint, 2, 64e9)), count: 1, flops: .zero,
      traffic: ModelGraph.Traffic(), compute: .bf16)
    #expect(near(pricer.price(work).time.value, 1, within: 0.01))
  }

  @Test func `time grows with the message and the ranks`() throws {
    let constants = ["collective_one_shot_start": "5 us", "collective_two_shot_start": "7 us"]
    for kind in [CollectiveShape.Kind.allReduce, .allGather, .allToAll] {
      for (few, many) in [(2, 4), (4, 8), (8, 16)] {
        #expect(try time(kind, few, 1e6, constants) <= time(kind, many, 1e6, constants))
        #expect(try time(kind, many, 1e5, constants) < time(kind, many, 1e6, constants))
      }
    }
  }
}

extension CollectiveShape {
  static func make(_ kind: Kind, _ ranks: Int, _ bytes: Double) -> CollectiveShape {
    CollectiveShape(kind: kind, ranks: ranks, message: Bytes(bytes))
  }
}
