/// Something wrong in a file a user gave, in one line: where, what was found, what would do.
package struct DataError: Error, CustomStringConvertible, Sendable {
  package var file: String
  package var line: Int?
  /// The place inside the file: `memories[0].bandwidth`, or a CSV column.
  package var field: String?
  package var problem: String
  /// A valid name that resembles what was found.
  package var nearest: String?

  package init(file: String, line: Int? = nil, field: String? = nil, problem: String, nearest: String? = nil) {
    self.file = file
    self.line = line
    self.field = field
    self.problem = problem
    self.nearest = nearest
  }

  package var description: String {
    var place = file
    if let line { place += ":\(line)" }
    if let field, !field.isEmpty { place += ": \(field)" }
    let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
    return printable("\(place): \(problem)\(hint)", limit: 1000)
  }
}

/// Text for a message: one line without control characters, cut where it is longer than a reader would read.
func printable(_ text: some StringProtocol, limit: Int) -> String {
  let scalars = text.unicodeScalars
  let kept = scalars.prefix(limit).map { scalar in
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
    default: String(scalar)
    }
  }
  return kept.joined() + (scalars.dropFirst(limit).isEmpty ? "" : "...")
}

/// A found text as a message shows it: quoted, printable, and short.
package func shown(_ text: some StringProtocol) -> String {
  "'" + printable(text, limit: 60) + "'"
}
