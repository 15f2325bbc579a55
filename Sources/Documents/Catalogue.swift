import Foundation
import Quantities

/// The data files of one kind in one folder, found by name or alias.
///
/// An exact name opens one file. Only when no file has the name are the others read, for their aliases.
package struct Catalogue<Entry: CatalogueEntry>: Sendable {
  package let folder: String
  /// Names in alphabetical order.
  package let names: [String]
  private let cache = EntryCache<Entry>()

  /// Lists a folder of data.
  package init(folder: String) throws {
    self.folder = folder
    let found = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard let found else { throw DataError(file: folder, problem: "no such folder of \(Entry.title) files") }
    names = found.compactMap { Entry.name(ofFile: $0, in: folder) }.sorted()
  }

  /// Reads an entry by name, alias, or path to a file of its own.
  /// - Throws: ``DataError`` when the file is faulty, ``UnknownName`` when nothing has the name.
  package func find(_ name: String) throws -> Entry {
    if let entry = cache[name] { return entry }
    let entry = try search(name)
    cache[name] = entry
    return entry
  }

  /// Every entry, in order of name.
  package func all() throws -> [Entry] { try names.map(find) }

  private func search(_ name: String) throws -> Entry {
    if names.contains(name) { return try Entry.read(path: path(name), name: name) }
    if Entry.isPath(name), FileManager.default.fileExists(atPath: name) {
      return try Entry.read(path: name, name: Entry.name(ofPath: name))
    }
    guard !Entry.isPath(name) else { throw DataError(file: name, problem: "no such file") }
    let wanted = name.lowercased()
    if let exact = names.first(where: { $0.lowercased() == wanted }) { return try find(exact) }
    var spellings: [(spelling: String, name: String)] = []
    for entry in try all() {
      if entry.aliases.contains(where: { $0.lowercased() == wanted }) { return entry }
      spellings += ([entry.name] + entry.aliases).map { ($0, entry.name) }
    }
    let nearest = nearestName(to: name, among: spellings.map(\.spelling))
    throw UnknownName(title: Entry.title, listed: [Entry.listed], name: name, nearest: nearest, count: names.count)
  }

  private func path(_ name: String) -> String { folder + "/" + Entry.file(ofName: name) }
}

/// One data file's content.
package protocol CatalogueEntry: Sendable {
  /// What an entry is called in messages: `device`, `model`.
  static var title: String { get }
  /// What `ridgeline list` calls all of them; the title with an `s` unless an entry says otherwise.
  static var listed: String { get }
  /// Whether an entry is a folder with `about.yaml` rather than one file.
  static var isFolder: Bool { get }
  var name: String { get }
  var aliases: [String] { get }
  static func read(path: String, name: String) throws -> Self
}

extension CatalogueEntry {
  static func file(ofName name: String) -> String { Self.isFolder ? name + "/about.yaml" : name + ".yaml" }

  static func name(ofFile file: String, in folder: String) -> String? {
    if isFolder { return FileManager.default.fileExists(atPath: "\(folder)/\(file)/about.yaml") ? file : nil }
    return file.hasSuffix(".yaml") ? String(file.dropLast(5)) : nil
  }

  static func name(ofPath path: String) -> String {
    ((path as NSString).lastPathComponent as NSString).deletingPathExtension
  }

  static func isPath(_ text: String) -> Bool { text.hasSuffix(".yaml") || text.hasSuffix(".json") }

  package static var isFolder: Bool { false }
  package static var listed: String { title + "s" }
}

/// A name that nothing has.
package struct UnknownName: Error, CustomStringConvertible, Sendable {
  package let title: String
  /// What `ridgeline list` takes to show the names there are.
  package let listed: [String]
  package let name: String
  package let nearest: String?
  package let count: Int

  package init(title: String, listed: [String], name: String, nearest: String?, count: Int) {
    self.title = title
    self.listed = listed
    self.name = name
    self.nearest = nearest
    self.count = count
  }

  package var description: String {
    let commands = listed.map { "'ridgeline list \($0)'" }.joined(separator: " and ")
    return printable(
      "unknown \(title) \(shown(name))" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + " (\(commands) \(listed.count == 1 ? "shows" : "show") all \(count))", limit: 1000)
  }
}

/// Entries already read. A class behind a lock, so that a catalogue stays a value that threads may share.
private final class EntryCache<Entry: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var entries: [String: Entry] = [:]

  subscript(name: String) -> Entry? {
    get { lock.withLock { entries[name] } }
    set { lock.withLock { entries[name] = newValue } }
  }
}
