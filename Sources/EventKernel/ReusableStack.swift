/// Elements in order that come and go at the end, in memory that is kept when they go.
///
/// Copies share their elements, so it has one owner; in return a change in every event costs no check for others.
public final class ReusableStack<Element>: RandomAccessCollection {
  @exclusivity(unchecked) @usableFromInline var base: UnsafeMutablePointer<Element>
  @exclusivity(unchecked) @usableFromInline var capacity: Int
  @exclusivity(unchecked) @usableFromInline var used = 0

  @inlinable
  public init() {
    capacity = 16
    base = .allocate(capacity: capacity)
  }

  @inlinable
  public convenience init(_ elements: some Sequence<Element>) {
    self.init()
    append(contentsOf: elements)
  }

  deinit {
    base.deinitialize(count: used)
    base.deallocate()
  }

  @inlinable public var count: Int { used }
  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { used }

  @inlinable
  public subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: used), "there is no such element")
      return UnsafePointer(base + index)
    }
    @inline(__always) unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: used), "there is no such element")
      return base + index
    }
  }

  @inlinable
  public func append(_ element: Element) {
    if used == capacity { grow() }
    (base + used).initialize(to: element)
    used += 1
  }

  @inlinable
  public func append(contentsOf elements: some Sequence<Element>) { for element in elements { append(element) } }

  @usableFromInline
  func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: base, count: used)
    base.deallocate()
    base = larger
    capacity *= 2
  }

  /// Takes out the last elements.
  @inlinable
  public func removeLast(_ many: Int = 1) {
    precondition(many >= 0 && many <= used, "there are not so many elements")
    used -= many
    (base + used).deinitialize(count: many)
  }

  /// Takes out the first; the others move up.
  @inlinable
  public func removeFirst() -> Element {
    let first = self[0]
    remove(at: 0)
    return first
  }

  @inlinable
  public func removeAll() { if used > 0 { removeLast(used) } }

  /// Takes one out; those after it move up.
  @inlinable
  public func remove(at index: Int) {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: used), "there is no such element")
    (base + index).deinitialize(count: 1)
    used -= 1
    (base + index).moveInitialize(from: base + index + 1, count: used - index)
  }

  /// Takes out those for which something is true; the order of the others stays.
  @inlinable
  public func removeAll(where isOut: (Element) -> Bool) {
    var kept = 0
    for index in 0..<used {
      if isOut(base[index]) {
        (base + index).deinitialize(count: 1)
      } else {
        if kept < index { (base + kept).moveInitialize(from: base + index, count: 1) }
        kept += 1
      }
    }
    used = kept
  }
}
