import Testing

@testable import Documents

@Suite struct CatalogueTests {
  private struct Fruit: CatalogueEntry {
    static let title = "fruit"
    var name: String
    var aliases: [String]

    static func read(path: String, name: String) throws -> Fruit {
      try YAMLDocument.read(path: path).strictObject {
        Fruit(name: try checkedName($0, name), aliases: try $0.optionalStrings("aliases"))
      }
    }
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.write("apple.yaml", "name: apple\naliases: [Malus, pomme]\n")
    _ = try folder.write("banana.yaml", "name: banana\n")
    _ = try folder.write("README.md", "no fruit")
  }

  private func catalogue() throws -> Catalogue<Fruit> { try Catalogue(folder: folder.path) }

  @Test(arguments: ["apple", "Apple", "APPLE", "malus", "Malus", "POMME"])
  func `a name or alias finds its entry without regard to case`(name: String) throws {
    #expect(try catalogue().find(name).name == "apple")
  }

  @Test func `names are those of the data files, sorted`() throws {
    #expect(try catalogue().names == ["apple", "banana"])
    #expect(try catalogue().all().map(\.name) == ["apple", "banana"])
  }

  @Test func `an unknown name is refused with the nearest name or alias`() {
    #expect(
      message { try catalogue().find("aple") }
        == "unknown fruit 'aple'; did you mean 'apple'? ('ridgeline list fruits' shows all 2)")
    #expect(message { try catalogue().find("malsu") }.contains("did you mean 'Malus'?"))
    #expect(
      message { try catalogue().find("xylophone") } == "unknown fruit 'xylophone' ('ridgeline list fruits' shows all 2)"
    )
    #expect(isOneLine(message { try catalogue().find("a\nb\u{7}") }))
  }

  @Test func `a path finds a file outside the folder`() throws {
    let own = try TemporaryFolder()
    let path = try own.write("cherry.yaml", "name: cherry\n")
    #expect(try catalogue().find(path).name == "cherry")
    #expect(message { try catalogue().find(own.path + "/none.yaml") }.hasSuffix("/none.yaml: no such file"))
  }

  @Test func `a faulty file is refused by name only when it is asked for`() throws {
    let path = try folder.write("cherry.yaml", "name: plum\n")
    #expect(try catalogue().find("apple").name == "apple")
    #expect(
      message { try catalogue().find("cherry") }
        == "\(path):1: name: found 'plum', expected 'cherry', the name of the file")
  }

  @Test func `a folder that is not there is refused`() {
    let path = folder.path + "/none"
    #expect(message { try Catalogue<Fruit>(folder: path).names } == "\(path): no such folder of fruit files")
  }
}
