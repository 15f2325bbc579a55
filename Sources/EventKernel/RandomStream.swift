/// A named stream of random numbers: the same seed and name give the same numbers on every machine.
///
/// Each consumer draws from a stream of its own, so that drawing more in one place shifts nothing elsewhere.
///
/// ```swift
/// var arrivals = RandomStream(seed: 7, name: "arrivals")
/// let gap = arrivals.exponential()
/// ```
///
/// The generator is xoshiro256** (D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM
/// TOMS 47(4), 2021; public domain), period 2^256 - 1. Its state is four outputs of SplitMix64 (S. Vigna, public
/// domain) started at SplitMix64(seed) xor FNV-1a(name), the 64-bit hash over the name's UTF-8 bytes.
public struct RandomStream: Sendable {
  @usableFromInline var s0: UInt64
  @usableFromInline var s1: UInt64
  @usableFromInline var s2: UInt64
  @usableFromInline var s3: UInt64

  public init(seed: UInt64, name: String) {
    var start = seed
    var state = Self.splitMix(&start) ^ Self.hash(name)
    s0 = Self.splitMix(&state)
    s1 = Self.splitMix(&state)
    s2 = Self.splitMix(&state)
    s3 = Self.splitMix(&state)
  }

  /// One of many streams of the same name, for consumers that come by the million: sessions, say.
  public init(seed: UInt64, name: String, index: Int) {
    self.init(seed: seed &+ UInt64(bitPattern: Int64(index)) &* 0x9e37_79b9_7f4a_7c15, name: name)
  }

  /// The next 64 random bits.
  @inlinable
  public mutating func bits() -> UInt64 {
    let product = s1 &* 5
    let result = (product << 7 | product >> 57) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = s3 << 45 | s3 >> 19
    return result
  }

  private static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  private static func hash(_ name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
