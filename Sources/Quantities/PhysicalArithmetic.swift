// The products and quotients of unlike quantities that mean something. Anything else does not compile.

@inlinable
public func / (size: Bytes, bandwidth: BytesPerSecond) -> Seconds { Seconds(size.value / bandwidth.value) }

@inlinable
public func / (size: Bytes, time: Seconds) -> BytesPerSecond { BytesPerSecond(size.value / time.value) }

@inlinable
public func * (bandwidth: BytesPerSecond, time: Seconds) -> Bytes { Bytes(bandwidth.value * time.value) }

@inlinable
public func / (work: FLOPs, rate: FLOPsPerSecond) -> Seconds { Seconds(work.value / rate.value) }

@inlinable
public func / (work: FLOPs, time: Seconds) -> FLOPsPerSecond { FLOPsPerSecond(work.value / time.value) }

/// Arithmetic intensity of a piece of work.
@inlinable
public func / (work: FLOPs, traffic: Bytes) -> FLOPsPerByte { FLOPsPerByte(work.value / traffic.value) }

/// The ridge point of a roofline.
@inlinable
public func / (rate: FLOPsPerSecond, bandwidth: BytesPerSecond) -> FLOPsPerByte {
  FLOPsPerByte(rate.value / bandwidth.value)
}

@inlinable
public func * (power: Watts, time: Seconds) -> Joules { Joules(power.value * time.value) }

@inlinable
public func / (energy: Joules, power: Watts) -> Seconds { Seconds(energy.value / power.value) }

@inlinable
public func / (energy: Joules, time: Seconds) -> Watts { Watts(energy.value / time.value) }

@inlinable
public func * (size: Bytes, cost: JoulesPerByte) -> Joules { Joules(size.value * cost.value) }

@inlinable
public func * (work: FLOPs, cost: JoulesPerFLOP) -> Joules { Joules(work.value * cost.value) }

@inlinable
public func * (price: DollarsPerHour, time: Seconds) -> Dollars { Dollars(price.value * time.value / 3600) }
