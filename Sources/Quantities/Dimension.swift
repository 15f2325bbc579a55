/// What a quantity measures: its unit symbols, and how it prints.
///
/// A dimension is an empty enum; it exists only in the type of a ``Quantity``, so a time cannot be added to a size
/// and the check costs nothing at run time.
public protocol Dimension: Sendable {
  /// The dimension's name in messages, for example `bandwidth`.
  static var title: String { get }
  /// Accepted unit symbols with the factor that takes one of them to the base unit. The first one prints.
  static var symbols: [UnitSymbol] { get }
}

/// One spelling of a unit.
public struct UnitSymbol: Sendable {
  /// The text after the prefix, for example `B/s`.
  public let text: String
  /// How many base units one of this unit is.
  public let factor: Double
  /// Whether `k`, `M`, `Gi` ... may stand before it.
  public let takesPrefix: Bool

  public init(_ text: String, _ factor: Double = 1, takesPrefix: Bool = true) {
    self.text = text
    self.factor = factor
    self.takesPrefix = takesPrefix
  }
}

public enum TimeDimension: Dimension {
  public static let title = "time"
  public static let symbols = [
    UnitSymbol("s"), UnitSymbol("min", 60, takesPrefix: false), UnitSymbol("h", 3600, takesPrefix: false),
  ]
}

public enum SizeDimension: Dimension {
  public static let title = "size"
  public static let symbols = [UnitSymbol("B"), UnitSymbol("b", 0.125)]
}

public enum BandwidthDimension: Dimension {
  public static let title = "bandwidth"
  public static let symbols = [
    UnitSymbol("B/s"), UnitSymbol("b/s", 0.125),
  ]
}

public enum WorkDimension: Dimension {
  public static let title = "work"
  public static let symbols = [UnitSymbol("FLOP"), UnitSymbol("OP")]
}

public enum ComputeRateDimension: Dimension {
  public static let title = "compute rate"
  public static let symbols = [UnitSymbol("FLOP/s"), UnitSymbol("OP/s")]
}

public enum IntensityDimension: Dimension {
  public static let title = "arithmetic intensity"
  public static let symbols = [UnitSymbol("FLOP/B")]
}

public enum PowerDimension: Dimension {
  public static let title = "power"
  public static let symbols = [UnitSymbol("W")]
}

public enum EnergyDimension: Dimension {
  public static let title = "energy"
  public static let symbols = [UnitSymbol("J"), UnitSymbol("Wh", 3600)]
}

public enum EnergyPerByteDimension: Dimension {
  public static let title = "energy per byte"
  public static let symbols = [UnitSymbol("J/B"), UnitSymbol("J/b", 8)]
}

public enum EnergyPerWorkDimension: Dimension {
  public static let title = "energy per FLOP"
  public static let symbols = [UnitSymbol("J/FLOP"), UnitSymbol("J/OP")]
}

public enum FrequencyDimension: Dimension {
  public static let title = "frequency"
  public static let symbols = [UnitSymbol("Hz")]
}

public enum MoneyDimension: Dimension {
  public static let title = "price"
  public static let symbols = [UnitSymbol("USD", takesPrefix: false)]
}

public enum HourlyPriceDimension: Dimension {
  public static let title = "hourly price"
  public static let symbols = [UnitSymbol("USD/h", takesPrefix: false)]
}
