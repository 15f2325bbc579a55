import Foundation

/// A progress line on stderr, drawn only when stderr is a terminal.
struct ProgressBar {
  private let title: String
  private let total: Int
  private let visible = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var drawn = ContinuousClock.now

  init(_ title: String, total: Int) {
    self.title = title
    self.total = max(1, total)
  }

  /// Draws at most ten times a second.
  mutating func update(_ done: Int) {
    guard visible else { return }
    let now = ContinuousClock.now
    guard now - drawn > .milliseconds(100) else { return }
    drawn = now
    draw(done, elapsed: now - start)
  }

  /// Draws the finished bar and ends the line.
  func finish(_ done: Int) {
    guard visible else { return }
    draw(done, elapsed: ContinuousClock.now - start)
    try? FileHandle.standardError.write(contentsOf: Data("\n".utf8))
  }

  private func draw(_ done: Int, elapsed: Duration) {
    let share = min(1, Double(done) / Double(total))
    let width = 30
    let filled = Int(share * Double(width))
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    let left = share > 0 ? seconds / share - seconds : 0
    let percent = String(Int(share * 100))
    let text = "\r\(title) [\(bar)] \(percent) %  \(done) of \(total), \(Int(left.rounded(.up))) s left   "
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
