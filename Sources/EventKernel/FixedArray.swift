/// A fixed number of elements that change in place, without being counted or copied: for the state of a simulation,
/// which one owner holds and every event writes.
///
/// Copies share their elements. An index outside traps, as an array's does.
@frozen
public struct FixedArray<Element>: RandomAccessCollection {
  @usableFromInline let storage: Storage
  @usableFromInline let base: UnsafeMutablePointer<Element>
  public let count: Int

  @usableFromInline
  final class Storage {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    @usableFromInline let count: Int

    @inlinable
    init(_ elements: some Collection<Element>) {
      count = elements.count
      base = .allocate(capacity: Swift.max(1, count))
      for (index, element) in elements.enumerated() { (base + index).initialize(to: element) }
    }

    deinit {
      base.deinitialize(count: count)
      base.deallocate()
    }
  }

  @inlinable
  public init(_ elements: some Collection<Element>) {
    storage = Storage(elements)
    base = storage.base
    count = storage.count
  }

  @inlinable
  public init(repeating element: Element, count: Int) { self.init(repeatElement(element, count: count)) }

  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { count }

  @inlinable
  public subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "there is no such element")
      return UnsafePointer(base + index)
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "there is no such element")
      return base + index
    }
  }
}
