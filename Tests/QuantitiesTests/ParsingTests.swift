import EventKernel
import Testing

@testable import Quantities

@Suite struct ParsingTests {
  private func value<D>(_ text: String, _: Quantity<D>.Type) throws -> Double { try Quantity<D>(parsing: text).value }

  @Test func `every dimension reads its own units`() throws {
    #expect(try value("560 ns", Seconds.self) == 560 * 1e-9)
    #expect(try value("5 min", Seconds.self) == 300)
    #expect(try value("2 h", Seconds.self) == 7200)
    #expect(try value("80 GiB", Bytes.self) == 85_899_345_920)
    #expect(try value("3.35 TB/s", BytesPerSecond.self) == 3.35e12)
    #expect(try value("2 TFLOP", FLOPs.self) == 2e12)
    #expect(try value("989.4 TFLOP/s", FLOPsPerSecond.self) == 989.4e12)
    #expect(try value("1978.9 TOP/s", FLOPsPerSecond.self) == 1978.9e12)
    #expect(try value("295 FLOP/B", FLOPsPerByte.self) == 295)
    #expect(try value("1.2 kW", Watts.self) == 1200)
    #expect(try value("3 kWh", Joules.self) == 10_800_000)
    #expect(close(try value("4.1 pJ/B", JoulesPerByte.self), 4.1e-12, within: 1e-15))
    #expect(close(try value("0.5 pJ/FLOP", JoulesPerFLOP.self), 0.5e-12, within: 1e-15))
    #expect(try value("1.98 GHz", Hertz.self) == 1.98e9)
    #expect(try value("30000 USD", Dollars.self) == 30000)
    #expect(try value("2.5 USD/h", DollarsPerHour.self) == 2.5)
  }

  @Test func `prefixes are decimal unless they end in i`() throws {
    #expect(try value("80 GB", Bytes.self) == 80e9)
    #expect(try value("1 KiB", Bytes.self) == 1024)
    #expect(try value("1 MiB", Bytes.self) == 1_048_576)
    #expect(try value("1 TiB", Bytes.self) == 1_099_511_627_776)
    #expect(try value("1 PiB", Bytes.self) == 1_125_899_906_842_624)
  }

  @Test func `a small b is a bit and a large B a byte`() throws {
    #expect(try value("400 Gb/s", BytesPerSecond.self) == 50e9)
    #expect(try value("8 b", Bytes.self) == 1)
    #expect(close(try value("1 pJ/b", JoulesPerByte.self), 8e-12, within: 1e-15))
  }

  @Test func `an exponent belongs to the number and an exa prefix to the unit`() throws {
    #expect(try value("1 EB", Bytes.self) == 1e18)
    #expect(try value("1EB", Bytes.self) == 1e18)
    #expect(try value("1e3 B", Bytes.self) == 1000)
    #expect(try value("1e3B", Bytes.self) == 1000)
    #expect(try value("1.5e-6 s", Seconds.self) == 1.5e-6)
    #expect(try value("2E2 EB", Bytes.self) == 2e20)
  }

  @Test(arguments: ["80 GB", "80GB", " 80 GB ", "8e1 GB", "80.0 GB", "+80 GB", "80000 MB", "80_000 MB"])
  func `spellings of one size agree`(text: String) throws {
    #expect(try value(text, Bytes.self) == 80e9)
  }

  @Test(arguments: ["u", "µ"]) func `micro has two spellings`(prefix: String) throws {
    #expect(try value("3 \(prefix)s", Seconds.self) == 3 * 1e-6)
  }

  @Test(arguments: [
    "", " ", "GB", "fast", "- GB", ". GB", "1.2.3 GB", "1-2 GB", "nan GB", "inf GB", "1e999 GB", "1e300 EB", "E", "_ B",
  ])
  func `a text without a finite number is refused as such`(text: String) {
    #expect(fault(text, Bytes.self) == .notANumber(text: text))
  }

  @Test(arguments: ["80", " 80 ", "1e3", "-4"])
  func `a bare number is refused with an example of the unit`(text: String) {
    #expect(fault(text, Bytes.self) == .missingUnit(text: text, example: "1 B"))
    #expect(fault(text, DollarsPerHour.self) == .missingUnit(text: text, example: "1 USD/h"))
  }

  @Test(arguments: [
    ("3.35 TBps", "TBps", "TB/s"), ("3.35 tb/s", "tb/s", "TB/s"), ("25 GT/s", "GT/s", "GB/s"),
    ("64 GiB", "GiB", "GiB/s"), ("3 KB/s", "KB/s", "kB/s"), ("3 TB", "TB", "TB/s"), ("3 b", "b", "b/s"),
  ])
  func `a wrong unit is refused with the nearest right one`(text: String, unit: String, nearest: String) {
    #expect(
      fault(text, BytesPerSecond.self)
        == .unknownUnit(text: text, unit: unit, dimension: "bandwidth", nearest: nearest))
  }

  @Test(arguments: ["3 bananas", "0x10 B", "1 GB GB", "80\tGB", "1 e3 B", "12 W"])
  func `a text that resembles no unit is refused`(text: String) {
    guard case .unknownUnit(let whole, _, let dimension, _) = fault(text, Bytes.self) else {
      Issue.record("\(text) was not refused for its unit")
      return
    }
    #expect(whole == text && dimension == "size")
  }

  @Test func `money and minutes take no prefix`() {
    #expect(fault("30 kUSD", Dollars.self) != nil)
    #expect(fault("1 MUSD/h", DollarsPerHour.self) != nil)
    #expect(fault("3 kmin", Seconds.self) != nil)
  }

  @Test func `one dimension's unit is refused by another`() {
    #expect(fault("5 GB/s", Bytes.self) != nil)
    #expect(fault("5 GB", BytesPerSecond.self) != nil)
    #expect(fault("5 TFLOP", FLOPsPerSecond.self) != nil)
    #expect(fault("5 J", Watts.self) != nil)
    #expect(fault("5 USD", DollarsPerHour.self) != nil)
    #expect(fault("5 s", Hertz.self) != nil)
  }

  @Test func `random texts are read as finite numbers or refused, and never crash`() {
    var stream = RandomStream(seed: 1, name: "quantities.fuzz")
    let alphabet = Array("0123456789+-.eE_ kMGTPEmunpfiBb/sFLOPWJHzUSDh\u{b5}\u{0}")
    for _ in 0..<1000 {
      let text = String((0..<stream.integer(below: 16)).map { _ in alphabet[stream.integer(below: alphabet.count)] })
      if let size = try? Bytes(parsing: text) { #expect(size.value.isFinite, "\(text)") }
      if let time = try? Seconds(parsing: text) { #expect(time.value.isFinite, "\(text)") }
    }
  }
}
