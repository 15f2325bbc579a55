import CostModels
import Documents
import Hardware
import ModelGraph
import Quantities

/// Whose core launches and schedules: host times of a calibration belong to the processor it was measured with, and
/// those of another go by what an empty kernel's launch takes on both.
package enum HostCore: Sendable, Hashable {
  /// The processor that the system's file puts beside the devices.
  case own
  case named(String)

  /// `own`, or the name of a processor.
  package init(_ text: String) { self = text == "own" ? .own : .named(text) }
}

/// Why host times cannot be those of another core.
package enum HostCoreError: Error, CustomStringConvertible, Sendable {
  case noFigure(device: String, known: [String])
  case noReference(device: String, runtime: String)
  case noProcessor(hardware: String)

  package var description: String {
    switch self {
    case .noFigure(let device, let known):
      "the file of \(device) says nothing of launches, so its core cannot be compared; those of "
        + known.joined(separator: ", ") + " do"
    case .noReference(let device, let runtime):
      "no calibration of \(device) under \(runtime) names the host that its times belong to"
    case .noProcessor(let hardware):
      "\(hardware) has no processor beside its devices; name one in place of 'own'"
    }
  }
}

extension Constants {
  /// Host times of a core that takes so many times as long.
  func onHost(times factor: Double) -> Constants {
    var constants = self
    for key in [
      ConstantKey.launch, .stepOverhead, .stepPerSequence, .stepWithPrompts, .requestOverhead, .requestPerToken,
    ] { constants[key] *= factor }
    return constants
  }
}

extension Library {
  /// How many times as long as the calibrations' host the chosen core takes.
  /// - Throws: ``HostCoreError`` or ``UnknownName``.
  func hostFactor(_ choice: HostCore, _ request: Request, _ calibration: CalibrationChoice) throws -> Double {
    let device: Device
    switch choice {
    case .named(let name): device = try platforms.devices.find(name)
    case .own:
      let machine = try machine(request.hardware)
      guard let place = try? machine.resolve("host") else {
        throw HostCoreError.noProcessor(hardware: request.hardware)
      }
      device = machine.places[place].device
    }
    guard let reference = calibration.host else {
      throw HostCoreError.noReference(device: request.hardware, runtime: request.runtime)
    }
    return try launch(of: device) / launch(of: platforms.devices.find(reference))
  }

  private func launch(of device: Device) throws -> Seconds {
    if let time = device.emptyLaunch { return time }
    let known = try platforms.devices.all().filter { $0.emptyLaunch != nil }.map(\.name)
    throw HostCoreError.noFigure(device: device.name, known: known)
  }
}

/// Whether a step waits for its launches or for its devices.
package struct LaunchBalance: Sendable, Equatable {
  package var launches: Int
  package var launching: Seconds
  package var device: Seconds

  package var waitsForHost: Bool { launching > device }
}

extension Deployment {
  /// Launches of a step beside its devices' time; nothing where a captured graph is replayed.
  package func launchBalance(_ step: StepShape) -> LaunchBalance? {
    if runtime.graphCapture, step.prefillTokens == 0 { return nil }
    let operators = pricedOperators(step)
    let launches = operators.reduce(0) { $0 + $1.work.allLaunches }
    return LaunchBalance(
      launches: launches, launching: pricer.constants.time(.launch) * Double(launches),
      device: operators.sum { $0.totalTime })
  }

  private static var mostSequences: Int { 1 << 16 }

  /// The smallest batch whose step waits for the devices and no longer for launches; nothing where no batch does.
  /// - Parameter step: The step of so many sequences.
  /// - Complexity: O(log batch) pricings.
  package func deviceBoundBatch(_ step: (Int) -> StepShape) -> Int? {
    func isBound(_ sequences: Int) -> Bool { launchBalance(step(sequences)).map { !$0.waitsForHost } ?? true }
    var high = 1
    while !isBound(high) {
      high *= 2
      if high > Self.mostSequences { return nil }
    }
    var low = high / 2
    while high - low > 1 {
      let middle = (low + high) / 2
      if isBound(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
