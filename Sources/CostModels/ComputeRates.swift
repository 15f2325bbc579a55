import Hardware
import ModelGraph
import Quantities

/// The peak rate of each number format on one device, with frameworks' choice of accumulator.
package struct ComputeRates: Sendable {
  private let rates: [Double]
  /// Rate of plain vector arithmetic, for element-wise work.
  package let vector: FLOPsPerSecond

  /// Rates with an accumulator of their own, by format and fp16 or fp32.
  private let narrowSums: [Double]
  private let wideSums: [Double]

  package init(_ device: Device) {
    func sums(_ accumulator: NumberFormat) -> [Double] {
      NumberFormat.allCases.map { format in
        device.engines.filter { $0.style == .matrix }.flatMap(\.peaks)
          .first { $0.input == format && $0.accumulator == accumulator }?.rate.value ?? 0
      }
    }
    narrowSums = sums(.fp16)
    wideSums = sums(.fp32)
    rates = NumberFormat.allCases.map { Self.rate($0, device)?.value ?? 0 }
    let vectorRate = device.peak(input: .fp32, accumulator: .fp32, style: .vector)
    vector = vectorRate ?? Self.rate(.fp32, device) ?? Self.rate(.fp16, device) ?? Self.fastest(device)
  }

  /// The rate of a format; zero when the device has none. Check with ``supports(_:)`` first.
  package func rate(_ format: NumberFormat) -> FLOPsPerSecond { FLOPsPerSecond(rates[format.index]) }

  /// The rate of one of attention's products; zero when the device has none.
  package func rate(_ product: AttentionArithmetic.Product) -> FLOPsPerSecond {
    switch product.accumulator {
    case .fp16: FLOPsPerSecond(narrowSums[product.input.index])
    case .fp32: FLOPsPerSecond(wideSums[product.input.index])
    default: rate(product.input)
    }
  }

  /// The rate of both products together, half of the arithmetic each.
  package func rate(_ attention: AttentionArithmetic) -> FLOPsPerSecond {
    let (scores, values) = (rate(attention.scores).value, rate(attention.values).value)
    return FLOPsPerSecond(scores > 0 && values > 0 ? 2 / (1 / scores + 1 / values) : 0)
  }

  package func supports(_ format: NumberFormat) -> Bool { rates[format.index] > 0 }

  /// Wide accumulation first (fp32 for floats, int32 for integers), matrix units before vector units; 16-bit floats on
  /// a processor without them are widened to fp32 in registers.
  private static func rate(_ format: NumberFormat, _ device: Device) -> FLOPsPerSecond? {
    let format = format.arithmetic
    let wide: NumberFormat = format.isInteger ? .int32 : .fp32
    for style in [ComputeEngine.Style.matrix, .vector] {
      if let rate = device.peak(input: format, accumulator: wide, style: style) { return rate }
      let others = device.engines.filter { $0.style == style }.flatMap(\.peaks).filter { $0.input == format }
      if let rate = others.map(\.rate).max() { return rate }
    }
    let widens = device.deviceClass == .simdCPU || device.deviceClass == .integratedGPU
    if widens, format == .bf16 || format == .fp16 { return rate(.fp32, device) }
    return nil
  }

  private static func fastest(_ device: Device) -> FLOPsPerSecond {
    device.engines.flatMap(\.peaks).map(\.rate).max() ?? .zero
  }
}

/// A plan asks for arithmetic that a device does not have.
package struct UnsupportedFormat: Error, CustomStringConvertible, Sendable {
  package let format: NumberFormat
  package let role: String
  package let device: String
  package let available: [NumberFormat]

  package init(format: NumberFormat, role: String, device: Device) {
    self.format = format
    self.role = role
    self.device = device.name
    available = device.computeFormats
  }

  package var description: String {
    "\(device) has no \(format.rawValue) arithmetic for \(role); it has "
      + available.map(\.rawValue).joined(separator: ", ")
  }
}
