/// A number with a physical dimension, held in the dimension's base unit.
///
/// ```swift
/// let weights = Bytes(16.06e9)
/// let bandwidth = try BytesPerSecond(parsing: "3.35 TB/s")
/// let time: Seconds = weights / bandwidth
/// ```
///
/// Only arithmetic that means something compiles: like adds to like, and the products in `PhysicalArithmetic.swift`.
@frozen
public struct Quantity<D: Dimension>: Hashable, Comparable, Sendable {
  /// The amount in base units (seconds, bytes, FLOP, watts, joules ...).
  public var value: Double

  @inlinable
  public init(_ value: Double) { self.value = value }

  @inlinable
  public init(_ value: Int) { self.value = Double(value) }

  @inlinable
  public static var zero: Self { Self(0.0) }

  @inlinable
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }

  @inlinable
  public static func + (a: Self, b: Self) -> Self { Self(a.value + b.value) }

  @inlinable
  public static func - (a: Self, b: Self) -> Self { Self(a.value - b.value) }

  @inlinable
  public static func += (a: inout Self, b: Self) { a.value += b.value }

  @inlinable
  public static func -= (a: inout Self, b: Self) { a.value -= b.value }

  @inlinable
  public static func * (a: Self, factor: Double) -> Self { Self(a.value * factor) }

  @inlinable
  public static func * (factor: Double, a: Self) -> Self { Self(a.value * factor) }

  @inlinable
  public static func / (a: Self, divisor: Double) -> Self { Self(a.value / divisor) }

  /// The ratio of two like quantities: a plain number.
  @inlinable
  public static func / (a: Self, b: Self) -> Double { a.value / b.value }
}

public typealias Seconds = Quantity<TimeDimension>
public typealias Bytes = Quantity<SizeDimension>
public typealias BytesPerSecond = Quantity<BandwidthDimension>
public typealias FLOPs = Quantity<WorkDimension>
public typealias FLOPsPerSecond = Quantity<ComputeRateDimension>
public typealias FLOPsPerByte = Quantity<IntensityDimension>
public typealias Watts = Quantity<PowerDimension>
public typealias Joules = Quantity<EnergyDimension>
public typealias JoulesPerByte = Quantity<EnergyPerByteDimension>
public typealias JoulesPerFLOP = Quantity<EnergyPerWorkDimension>
public typealias Hertz = Quantity<FrequencyDimension>
public typealias Dollars = Quantity<MoneyDimension>
public typealias DollarsPerHour = Quantity<HourlyPriceDimension>

extension Sequence {
  /// The sum of a quantity over the elements.
  public func sum<D>(_ quantity: (Element) throws -> Quantity<D>) rethrows -> Quantity<D> {
    try reduce(into: Quantity<D>.zero) { $0 += try quantity($1) }
  }
}
