import Foundation

/// Remembers that the user pressed Ctrl-C, so that long work can stop between two steps and keep what is done.
enum Interrupt {
  /// Written by the signal handler only, read by loops: a lone flag, so a torn read cannot happen.
  nonisolated(unsafe) private(set) static var wanted = false

  static func install() {
    signal(SIGINT) { _ in
      // A second Ctrl-C ends the program at once.
      if Interrupt.wanted { _exit(Failure.interrupted) }
      Interrupt.wanted = true
    }
    // A closed pipe (`| head`) ends the program quietly.
    signal(SIGPIPE, SIG_DFL)
    // A file that outgrows its limit is an error to report, as a full disk is.
    signal(SIGXFSZ, SIG_IGN)
  }
}
