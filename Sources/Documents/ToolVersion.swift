/// The program's version, as runs are stored under it.
package enum ToolVersion {
  package static let text = "0.1.0"
}
