import Documents
import Quantities
import Testing

@testable import Hardware

@Suite struct DeviceFileErrorTests {
  @Test func `the small device these tests change is sound`() throws {
    let device = try DeviceText().read()
    #expect(device.mainMemory?.capacity == Bytes(80e9))
    #expect(device.citations["memories[0].bandwidth"] == "made up for this test")
  }

  private static let faults: [(old: String, new: String, message: String)] = [
    ("title: Test\n", "", "test-gpu.yaml:1: 'title' is missing"),
    (
      "name: test-gpu", "name: other", "test-gpu.yaml:1: name: found 'other', expected 'test-gpu', the name of the file"
    ),
    (
      "kind: gpu", "kind: gpuu",
      "test-gpu.yaml:4: kind: found 'gpuu', expected one of gpu, npu, cpu, csd, ssd, soc; did you mean 'gpu'?"
    ),
    (
      "released: 2024", "released: 1024",
      "test-gpu.yaml:6: released: found 1024, expected a whole number from 1990 to 2100"
    ),
    ("released: 2024", "released: 2024\nbandwith: 3 TB/s", "test-gpu.yaml:7: bandwith: unknown key"),
    (
      "bandwidth: 2 TB/s", "bandwith: 2 TB/s",
      "test-gpu.yaml:17: memories[0].bandwith: unknown key; did you mean 'bandwidth'?"
    ),
    ("2 TB/s", "-2 TB/s", "test-gpu.yaml:17: memories[0].bandwidth: found '-2 TB/s', expected a positive bandwidth"),
    ("2 TB/s", "0 TB/s", "test-gpu.yaml:17: memories[0].bandwidth: found '0 TB/s', expected a positive bandwidth"),
    (
      "2 TB/s", "2",
      "test-gpu.yaml:17: memories[0].bandwidth: found '2' without a unit, expected a bandwidth such as '1 B/s'"
    ),
    ("2 TB/s", "2 TB", "test-gpu.yaml:17: memories[0].bandwidth: 'TB' is no unit of bandwidth; did you mean 'TB/s'?"),
    (
      "2 TB/s", ".nan",
      "test-gpu.yaml:17: memories[0].bandwidth: found '.nan', expected a number and a unit of bandwidth"
    ),
    (
      "level: main", "level: man",
      "test-gpu.yaml:17: memories[0].level: found 'man', expected one of main, tier, cache, scratchpad; did you mean 'main'?"
    ),
    (
      "100 TFLOP/s", "100 TFLOPS",
      "test-gpu.yaml:14: compute[0].peaks[0].rate: 'TFLOPS' is no unit of compute rate; did you mean 'TFLOP/s'?"
    ),
    ("input: bf16", "input: bfloat", "test-gpu.yaml:14: compute[0].peaks[0].input: found 'bfloat', expected one of"),
    (
      "units: 100\n", "units: 0\n",
      "test-gpu.yaml:11: compute[0].units: found 0, expected a whole number from 1 to 1000000"
    ),
    ("units: 100\n", "units: many\n", "test-gpu.yaml:11: compute[0].units: found 'many', expected a whole number"),
    ("idle: 50 W", "idle: 500 W", "test-gpu.yaml:18: power: idle 500 W is above the cap 400 W"),
    ("idle: 50 W", "idle: -1 W", "test-gpu.yaml:18: power.idle: found '-1 W', expected a non-negative power"),
    (
      "400 W, source: sheet", "400 W, source: shet",
      "test-gpu.yaml:18: power.source: 'shet' is not in the file's sources; did you mean 'sheet'?"
    ),
    ("400 W, source: sheet", "400 W", "test-gpu.yaml:18: power: 'source' is missing"),
    (
      "400 W, source: sheet", "400 W, source: {idle: sheet}",
      "test-gpu.yaml:18: power.source: names no source for 'cap'"
    ),
    ("sources: {sheet: \"made up for this test\"}\n", "", "test-gpu.yaml:1: 'sources' is missing"),
    ("name: test-gpu\n", "name: test-gpu\nname: test-gpu\n", "test-gpu.yaml:1: key 'name' appears twice"),
    ("released: 2024", "released: 2024\naliases: h100", "test-gpu.yaml:7: aliases: found 'h100', expected a list"),
    (
      "released: 2024", "released: 2024\nlinks: [{role: peer, link: nvlink-4, source: sheet}]",
      "test-gpu.yaml:7: links[0]: 'count' is missing"
    ),
    (
      "released: 2024", "released: 2024\nprice: {hourly: 2 USD, date: 2025-01, source: sheet}",
      "test-gpu.yaml:7: price.hourly: 'USD' is no unit of hourly price; did you mean 'USD/h'?"
    ),
    (
      "released: 2024", "released: 2024\nnuma_nodes: 0",
      "test-gpu.yaml:7: numa_nodes: found 0, expected a whole number from 1 to 64"
    ),
    (
      "units: 100\n", "units: 100\n    array: 128\n",
      "test-gpu.yaml:12: compute[0].array: found 128, expected rows and columns such as '128x128'"
    ),
    (
      "released: 2024", "released: 2024\nthermal: {budget: 300 J, sustained: 400 W, clock: 0.5, source: sheet}",
      "test-gpu.yaml:1: thermal.sustained is 400 W, expected more than the idle 50 W and less than the cap 400 W"
    ),
    (
      "released: 2024", "released: 2024\nthermal: {budget: 300 J, sustained: 100 W, clock: 1.5, source: sheet}",
      "test-gpu.yaml:7: thermal.clock: found 1.5, expected a number from 0.05 to 1"
    ),
    (
      "released: 2024", "released: 2024\nlaunches: {empty_kernel: -2 us, source: sheet}",
      "test-gpu.yaml:7: launches.empty_kernel: found '-2 us', expected a positive time"
    ),
  ]

  @Test(arguments: faults.indices) func `a faulty number or word is refused at its place`(index: Int) {
    let fault = Self.faults[index]
    let found = DeviceText().fault(fault.old, fault.new)
    #expect(found.hasPrefix(fault.message), "\(found)")
  }

  private func without(_ change: (inout DeviceText) -> Void) -> String {
    var device = DeviceText()
    change(&device)
    return device.fault()
  }

  @Test func `a missing block is named with the kind that needs it`() {
    #expect(without { $0.compute = "" } == "test-gpu.yaml:1: 'compute' is missing, which kind gpu needs")
    let memory = "test-gpu.yaml:1: 'memories' has no main memory with a bandwidth, which kind gpu needs"
    #expect(without { $0.memories = "" } == memory)
    #expect(without { $0.memories = $0.memories.replacing("level: main", with: "level: cache") } == memory)
    #expect(without { $0.memories = $0.memories.replacing("bandwidth: 2 TB/s, ", with: "") } == memory)
    #expect(without { $0.power = "" } == "test-gpu.yaml:1: 'power' is missing")
    let drive = without {
      $0.kind = "ssd"
      $0.deviceClass = "storage"
    }
    #expect(drive == "test-gpu.yaml:1: 'storage' is missing, which kind ssd needs")
  }

  @Test func `an engine without peaks is refused`() {
    let found = DeviceText().fault(
      "    peaks:\n      - {input: bf16, accumulator: fp32, rate: 100 TFLOP/s}\n", "    peaks: []\n")
    #expect(found == "test-gpu.yaml:9: compute[0]: 'peaks' is empty, expected at least one format")
  }

  @Test func `a drive with a faulty number is refused at its place`() {
    let found = without {
      $0.kind = "ssd"
      $0.deviceClass = "storage"
      $0.compute = ""
      $0.memories = ""
      $0.more = "storage: {capacity: 2 TB, read: 7 GB, write: 5 GB/s, source: sheet}"
    }
    #expect(found.contains("storage.read: 'GB' is no unit of bandwidth; did you mean 'GB/s'?"), "\(found)")
  }
}
