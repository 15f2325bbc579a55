import Execution
import Quantities
import TestSupport
import Testing

/// What a plan's machine costs an hour, by hand.
@Suite struct RentTests {
  private static let gpu = 3.99
  private static let memory = 0.00425
  private static let drive = 0.392

  private let batch = BatchCase(sequences: 4, inputTokens: 30_000, outputTokens: 100)

  private func rent(_ plan: String) throws -> Double {
    try #require(Placed.deployment("llama-3.1-8b", "hgx-h100", plan, runtime: "vllm-v1").rent(for: batch)).value
  }

  @Test func whatStaysOnTheDeviceCostsTheDevice() throws {
    #expect(abs(try rent("resident") - Self.gpu) < 1e-9)
  }

  @Test func aCacheOnTheHostCostsItsGibibytesToo() throws {
    // 131,072 bytes a token in whole blocks of 16: four caches of 30,112 tokens are 14.7 GiB, all of them on the host.
    let gibibytes = 4.0 * 30_112 * 131_072 / 1_073_741_824
    #expect(abs(try rent("kv-host") - Self.gpu - gibibytes * Self.memory) < 0.2 * gibibytes * Self.memory)
    #expect(try rent("kv-host") > Self.gpu)
  }

  @Test func aCacheOnDrivesCostsAllDrivesOfTheMachine() throws {
    // Host memory only buffers what passes.
    let rent = try rent("kv-ssd")
    #expect(rent >= Self.gpu + 8 * Self.drive && rent < Self.gpu + 8 * Self.drive + 0.2, "\(rent)")
  }

  @Test func theRentFollowsTheScaleOfPrices() throws {
    let deployment = try Placed.deployment("llama-3.1-8b", "hgx-h100", nil, runtime: "vllm-v1")
    #expect(deployment.rent(for: batch) == deployment.hourlyPrice)
    #expect(try #require(deployment.price(of: Seconds(7200), for: batch)).value == 2 * Self.gpu)
  }
}
