import ArgumentParser
import Documents
import Reporting
import Techniques

struct TechniquesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "techniques",
    abstract: "Lists the techniques that --with takes, or explains one.",
    discussion: """
      A technique rewrites model, plan or requests; what it gains comes out of \
      the prediction. What a model's behaviour decides (acceptance, shares \
      kept) must be given. Techniques compose in the order of what they decide; \
      two that decide the same are refused. Published methods go by their names \
      too: eagle3 is draft-head with the tree its users run. \
      Documentation/techniques.md has all of them with their sources.

        ridgeline techniques
        ridgeline techniques w4a16
        ridgeline predict --model llama-3-8b --hardware h100-sxm \\
            --with w4a16:group=128 --with eagle3:acceptance=0.7
      """)

  @Argument(help: "A technique, for its parameters, quality risk and sources.")
  var name: String?

  @Option(help: "How the list is written: table, csv, json or markdown.")
  var format = ListFormat.table

  func run() throws {
    if let name {
      let description = try NamedChoice.find(name, kind: "technique", among: Techniques.names)
      return try standardOutput(TechniqueCard.text(description))
    }
    let table = TechniqueCard.table
    switch format {
    case .table:
      let methods = PublishedMethod.all.count
      try standardOutput(
        TableRenderer.rows(table)
          + "\n\(table.rows.count - methods) techniques, and \(methods) methods by the names they were published by\n")
    case .csv: try standardOutput(MachineRenderer.csv(table))
    case .json: try standardOutput(MachineRenderer.json(table))
    case .markdown: try standardOutput(TechniqueCard.document)
    }
  }
}

/// A technique with its parameters, as text.
enum TechniqueCard {
  static func text(_ description: ChoiceDescription) -> String {
    let method = PublishedMethod.all.first { $0.name == description.name }
    let type = Techniques.all.first { $0.description.name == method?.technique ?? description.name }
    var text = PolicyCard.text(description)
    if let type {
      text += "decides: \(type.decides.map(\.title).joined(separator: "; "))\n"
      let conflicts = others(type)
      if !conflicts.isEmpty { text += "not with: \(conflicts.joined(separator: ", "))\n" }
      text += "quality: \(type.quality)\n"
      if let measure = type.measureFirst { text += "measure first: \(measure)\n" }
    }
    return text
  }

  /// Techniques that decide something it decides too.
  private static func others(_ type: any Technique.Type) -> [String] {
    Techniques.all.filter { other in
      other.description.name != type.description.name && other.decides.contains(where: type.decides.contains)
    }.map { $0.description.name }
  }

  static var table: ResultTable {
    var table = ResultTable(columns: [
      ResultTable.Column("name"), ResultTable.Column("summary"), ResultTable.Column("parameters"),
      ResultTable.Column("source"),
    ])
    for item in Techniques.names {
      let parameters = item.parameters.map { "\($0.name)=\($0.standard.map { "\($0)" } ?? "...")" }
      table.append([
        .text(item.name), .text(item.summary), .text(parameters.joined(separator: ",")), .text(item.source),
      ])
    }
    return table
  }

  /// All of them as a page of Markdown: `Documentation/techniques.md`.
  static var document: String {
    var text = """
      # Techniques

      Written by `ridgeline techniques --format markdown`. A technique is named on a command (`--with
      name:parameter=value,...`, several times) or in a scenario (`techniques: [...]`). Parameters without a standard are
      decided by a model's behaviour or a publication and must be given.

      """
    for type in Techniques.all {
      let item = type.description
      text += "\n## \(item.name)\n\n\(item.summary.prefix(1).uppercased() + item.summary.dropFirst()).\n\n"
      for parameter in item.parameters {
        let standard = parameter.standard.map { "\($0) unless given" } ?? "must be given"
        text += "- `\(parameter.name)`: \(parameter.meaning); \(parameter.expected), \(standard)\n"
      }
      text += "- decides \(type.decides.map(\.title).joined(separator: "; "))"
      let conflicts = others(type)
      text += conflicts.isEmpty ? "\n" : ", so not with \(conflicts.joined(separator: ", "))\n"
      text += "- quality: \(type.quality)\n"
      if let measure = type.measureFirst { text += "- measure first: \(measure)\n" }
      text += "- source: \(item.source)\n"
    }
    text +=
      "\n## Published methods\n\nNames for a technique with the parameters that the source states; each may be given "
    text += "otherwise.\n\n| name | stands for | source |\n| --- | --- | --- |\n"
    for method in PublishedMethod.all { text += "| `\(method.name)` | `\(method.text)` | \(method.source) |\n" }
    return text
  }
}
