/// Numbers in f32 at an address that stays, zero at first.
///
/// Pages are the operating system's zero pages until they are written to, so an unused part takes no memory.
package final class FloatBuffer {
  package let start: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    self.count = count
    start = AlignedMemory.zeroed(bytes: 4 * count).bindMemory(to: Float.self, capacity: max(1, count))
  }

  package convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { start[index] = value }
  }

  deinit { AlignedMemory.release(start, bytes: 4 * count) }

  package var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: start, count: count) }
}
