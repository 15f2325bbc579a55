/// The most similar of some names, for "did you mean" in messages; nothing when none is close.
///
/// A name that the text begins (four letters or more) comes first. Otherwise distance counts insertions, deletions, substitutions and swaps of neighbours, ignoring case; a name is close
/// when at most a third of the longer text differs.
/// - Complexity: O(names x length^2).
public func nearestName(to text: String, among names: [String]) -> String? {
  let wanted = Array(text.lowercased().utf8)
  guard wanted.count <= 200 else { return nil }
  if wanted.count >= 4 {
    let longer = names.filter { $0.lowercased().hasPrefix(text.lowercased()) }
    if let shortest = longer.min(by: { ($0.count, $0) < ($1.count, $1) }) { return shortest }
  }
  var best: (name: String, distance: Int)?
  for name in names {
    let distance = editDistance(wanted, Array(name.lowercased().utf8))
    guard distance * 3 <= max(wanted.count, name.utf8.count) else { continue }
    if best == nil || distance < best!.distance { best = (name, distance) }
  }
  if best == nil, wanted.count >= 3 {
    let inside = names.filter { $0.lowercased().contains(text.lowercased()) }
    best = inside.min { ($0.count, $0) < ($1.count, $1) }.map { ($0, 0) }
  }
  return best?.name
}

private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var older = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var current = [Int](repeating: 0, count: b.count + 1)
    current[0] = i + 1
    for j in 0..<b.count {
      current[j + 1] = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        current[j + 1] = min(current[j + 1], older[j - 1] + 1)
      }
    }
    older = previous
    previous = current
  }
  return previous[b.count]
}
