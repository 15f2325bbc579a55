import Documents
import Quantities
import Testing

@testable import CostModels
@testable import Hardware

@Suite struct PlatformFinderTests {
  @Test func `a device is a platform of one that may be repeated over its own link`() throws {
    let platform = try Shipped.finder().find("h100-sxm")
    #expect(platform.available == nil && platform.perNode == nil && platform.nodePath == nil)
    #expect(platform.peerPath.bandwidth == BytesPerSecond(450e9))
  }

  @Test func `HGX H100 is eight GPUs on NVLink, 450 GB a second each way`() throws {
    let platform = try Shipped.finder().find("hgx-h100")
    #expect(platform.device.name == "h100-sxm")
    #expect(platform.available == 8 && platform.perNode == 8)
    #expect(platform.peerPath.bandwidth == BytesPerSecond(450e9))
    #expect(platform.peerPath.name == "18 x nvlink-4" && !platform.peerPath.isMesh)
    #expect(platform.nodePath == nil)
  }

  @Test func `a superpod of four is 32 GPUs with InfiniBand between nodes`() throws {
    let platform = try Shipped.finder().find("dgx-h100-superpod-4")
    #expect(platform.available == 32 && platform.perNode == 8)
    let path = try #require(platform.nodePath)
    #expect(path.name == "8 x infiniband-ndr")
    #expect(path.bandwidth == BytesPerSecond(400e9))
  }

  @Test func `an alias finds a system as it finds a device`() throws {
    #expect(try Shipped.finder().find("DGX-H100").name == "hgx-h100")
    #expect(try Shipped.finder().find("H100").name == "h100-sxm")
  }

  @Test func `a system's own memory size replaces the device file's`() throws {
    let platform = try Shipped.finder().find("dual-epyc-9654")
    let system = try Shipped.systems().find("dual-epyc-9654")
    let given = try #require(system.nodes[0].devices.first { $0.device == platform.device.name }?.memory)
    #expect(platform.device.mainMemory?.capacity == given)
  }

  @Test(arguments: ["samsung-980-pro", "samsung-smartssd"]) func `a drive is refused`(name: String) {
    let found = message { try Shipped.finder().find(name) }
    #expect(found.contains("is a drive") && found.contains("cannot run a model by itself"), "\(found)")
  }

  @Test func `an unknown name is refused with the nearest device or system`() {
    let device = message { try Shipped.finder().find("h100-smx") }
    #expect(
      device.hasPrefix(
        "unknown device or system 'h100-smx'; did you mean 'h100-sxm'? ('ridgeline list devices' and 'ridgeline list systems' show all "
      ), "\(device)")
    let system = message { try Shipped.finder().find("dgx-h100-superpod-5") }
    #expect(system.contains("did you mean 'dgx-h100-superpod-4'?"), "\(system)")
    #expect(!message { try Shipped.finder().find("zzzzzzzzzzzz") }.contains("did you mean"))
  }
}
