import Documents
import Foundation
import Quantities
import Testing

@testable import CostModels
@testable import Hardware

@Suite struct ShippedHardwareTests {
  @Test(arguments: Shipped.names("Devices")) func `every device file is read and its links exist`(name: String) throws {
    let device = try Shipped.device(name)
    let links = try Shipped.links()
    for link in device.links { #expect(throws: Never.self) { try links.find(link.link) } }
    #expect(!device.citations.isEmpty && device.citations.values.allSatisfy { $0.count > 10 })
  }

  @Test(arguments: Shipped.names("Links")) func `every link file is read and carries something`(name: String) throws {
    let link = try Shipped.links().find(name)
    #expect(link.bandwidth > BytesPerSecond(1e6) && link.bandwidth < BytesPerSecond(1e12))
    #expect(link.latency >= .zero && link.latency < Seconds(1.0))
  }

  @Test(arguments: Shipped.names("Systems"))
  func `every system file is read and its devices and links exist`(name: String) throws {
    let system = try Shipped.systems().find(name)
    let devices = try Shipped.devices()
    let links = try Shipped.links()
    for group in system.nodes.flatMap(\.devices) { #expect(throws: Never.self) { try devices.find(group.device) } }
    for connection in system.connections { #expect(throws: Never.self) { try links.find(connection.link) } }
    let ids = system.nodes.flatMap { $0.devices.map(\.id) }
    #expect(Set(ids).count == ids.count)
  }

  @Test(arguments: Shipped.names("Systems")) func `every system is a platform that computes`(name: String) throws {
    let platform = try Shipped.finder().find(name)
    #expect((platform.available ?? 0) >= 1 && (platform.perNode ?? 0) >= 1)
    #expect((platform.available ?? 0) % (platform.perNode ?? 1) == 0)
    #expect((platform.available ?? 0) == 1 || platform.peerPath.bandwidth > .zero)
  }

  @Test(arguments: Shipped.names("Runtimes")) func `every runtime file is read and can batch`(name: String) throws {
    let runtime = try Shipped.runtimes().find(name)
    #expect(runtime.maxSequences <= runtime.maxBatchedTokens)
    #expect(runtime.reservedMemory < Bytes(8e9))
  }

  @Test(arguments: Shipped.names("Calibrations"))
  func `every calibration file is read and says what it rests on`(name: String) throws {
    let calibration = try Shipped.calibrations().find(name)
    #expect(calibration.date.split(separator: "-").count == 3)
    #expect(calibration.data.count > 20 && calibration.error.count > 5 && !calibration.valid.isEmpty)
    if let device = calibration.device { #expect(throws: Never.self) { try Shipped.device(device) } }
    if let runtime = calibration.runtime { #expect(throws: Never.self) { try Shipped.runtimes().find(runtime) } }
  }

  @Test func `no name or alias stands for two things`() throws {
    let devices = try Shipped.devices().all().map { ($0.name, $0.aliases) }
    let systems = try Shipped.systems().all().map { ($0.name, $0.aliases) }
    #expect(ambiguous(devices + systems) == [])
    #expect(ambiguous(try Shipped.runtimes().all().map { ($0.name, $0.aliases) }) == [])
    #expect(ambiguous(try Shipped.links().all().map { ($0.name, $0.aliases) }) == [])
  }

  @Test func `there are many devices, of every kind and class`() throws {
    let devices = try Shipped.devices().all()
    #expect(devices.count >= 45)
    #expect(Set(devices.map(\.kind)) == Set(DeviceKind.allCases))
    #expect(Set(devices.map(\.deviceClass)) == Set(DeviceClass.allCases))
  }

  @Test func `every device that computes has all constants under every runtime`() throws {
    let calibrations = try Shipped.calibrations().all()
    for device in try Shipped.devices().all() where [.gpu, .npu, .cpu, .soc].contains(device.kind) {
      for runtime in Shipped.names("Runtimes") {
        let choice = try CalibrationChoice(device: device, runtime: runtime, from: calibrations, folder: "Calibrations")
        #expect(choice.constants.missing.isEmpty && !choice.names.isEmpty, "\(device.name) under \(runtime)")
      }
    }
  }

  @Test(arguments: Shipped.names("Devices")) func `every device is physically plausible`(name: String) throws {
    let device = try Shipped.device(name)
    #expect(device.power.idle < device.power.cap)
    if let minimum = device.power.capMinimum { #expect(minimum <= device.power.cap) }
    if let low = device.power.clockMinimum, let high = device.power.clockMaximum { #expect(low < high) }
    if let price = device.price {
      #expect((price.purchase ?? Dollars(1.0)) > .zero && (price.hourly ?? .init(1.0)) > .zero)
    }
    for peak in device.engines.flatMap(\.peaks) {
      #expect(peak.rate > FLOPsPerSecond(1e9) && peak.rate < FLOPsPerSecond(1e17))
    }
    if let bandwidth = device.mainMemory?.bandwidth, let fastest = device.engines.flatMap(\.peaks).map(\.rate).max() {
      let ridge = (fastest / bandwidth).value
      #expect(ridge > 0.5 && ridge < 20000, "\(ridge) FLOP/B")
    }
    if let storage = device.storage {
      #expect(storage.read < BytesPerSecond(100e9) && storage.capacity > Bytes(1e9))
    }
  }

  @Test(arguments: Shipped.names("Devices"))
  func `a narrower format is never slower on the same engines`(name: String) throws {
    let device = try Shipped.device(name)
    func peak(_ format: NumberFormat) -> FLOPsPerSecond? {
      device.peak(input: format, accumulator: .fp32, style: .matrix)
    }
    let order: [NumberFormat] = [.bf16, .fp8, .fp4]
    for (wide, narrow) in zip(order, order.dropFirst()) {
      if let slow = peak(wide), let fast = peak(narrow) { #expect(fast >= slow, "\(narrow) against \(wide)") }
    }
  }
}

@Suite struct DeviceFactTests {
  @Test func `H100 SXM is the datasheet's`() throws {
    let device = try Shipped.device("h100-sxm")
    #expect(device.peak(input: .bf16, accumulator: .fp32, style: .matrix) == FLOPsPerSecond(989.4e12))
    #expect(device.mainMemory?.bandwidth == BytesPerSecond(3.35e12))
    #expect(device.mainMemory?.capacity == Bytes(80.0 * 1_073_741_824))
    #expect(device.parallelUnits == 132)
    #expect(device.power.cap == Watts(700.0))
  }

  @Test func `RTX 4090 halves its rate where sums are kept in fp32`() throws {
    let device = try Shipped.device("rtx-4090")
    #expect(device.peak(input: .fp16, accumulator: .fp32, style: .matrix) == FLOPsPerSecond(165.2e12))
    #expect(device.peak(input: .fp16, accumulator: .fp16, style: .matrix) == FLOPsPerSecond(330.3e12))
  }

  @Test func `'Nvidia A100 GPU' is the part with 40 GB`() throws {
    let device = try Shipped.device("Nvidia A100 GPU")
    #expect(device.name == "a100-sxm-40gb")
    let capacity = try #require(device.mainMemory?.capacity)
    #expect(capacity >= Bytes(40e9) && capacity <= Bytes(43e9))
  }

  @Test func `MI250 is the whole module of two dies`() throws {
    let device = try Shipped.device("mi250")
    let capacity = try #require(device.mainMemory?.capacity)
    #expect(capacity >= Bytes(128e9))
    #expect(device.parallelUnits == 208)
    #expect(device.mainMemory?.bandwidth == BytesPerSecond(3.2768e12))
  }

  @Test func `core classes of a CPU add up and engines of a GPU do not`() throws {
    let cpu = try Shipped.device("core-i9-12900k")
    let engines = cpu.engines.filter { $0.style == .vector && $0.peaks.contains { $0.input == .fp32 } }
    #expect(engines.count == 2)
    let parts = engines.flatMap(\.peaks).filter { $0.input == .fp32 && $0.accumulator == .fp32 }.map(\.rate)
    let whole = try #require(cpu.peak(input: .fp32, accumulator: .fp32, style: .vector))
    #expect(abs(whole.value - parts.sum { $0 }.value) < 1)
    let gpu = try Shipped.device("h100-sxm")
    #expect(gpu.peak(input: .fp64, accumulator: .fp64, style: .matrix)?.description == "66.9 TFLOP/s")
  }
}
