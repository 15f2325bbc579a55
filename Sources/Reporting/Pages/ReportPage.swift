/// A report as one HTML file that needs nothing else: no network, no script; for screens of any width, light or dark, and
/// for paper.
package struct ReportPage: Sendable {
  package enum Block: Sendable {
    case paragraph(String)
    case list([String])
    /// A table, with a caption.
    case table(ResultTable, caption: String)
    /// Drawings side by side where there is room.
    case charts([ReportChart])
    /// Text as it is, such as commands.
    case code(String)
  }

  package struct Section: Sendable {
    package var title: String
    package var blocks: [Block]

    package init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  package var title: String
  /// The answer in words, first of all.
  package var headline: String
  package var sections: [Section]
  /// What made it, in one line at the end.
  package var footer: String

  package init(title: String, headline: String, sections: [Section], footer: String) {
    self.title = title
    self.headline = headline
    self.sections = sections.filter { !$0.blocks.isEmpty }
    self.footer = footer
  }

  /// All drawings, in order.
  package var charts: [ReportChart] {
    sections.flatMap(\.blocks).flatMap { block in
      if case .charts(let charts) = block { charts } else { [ReportChart]() }
    }
  }

  /// The page.
  package var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Self.escaped(title))</title>
    <style>
    \(Self.styleSheet)
    </style>
    </head>
    <body>
    <main>
    <header>
    <h1>\(Self.escaped(title))</h1>
    \(headline.split(separator: "\n").map { "<p class=\"headline\">\(Self.escaped(String($0)))</p>" }.joined(separator: "\n"))
    </header>
    \(sections.map(section).joined(separator: "\n"))
    <footer><p>\(Self.escaped(footer))</p></footer>
    </main>
    </body>
    </html>

    """
  }

  private func section(_ section: Section) -> String {
    "<section>\n<h2>\(Self.escaped(section.title))</h2>\n" + section.blocks.map(block).joined(separator: "\n")
      + "\n</section>"
  }

  private func block(_ block: Block) -> String {
    switch block {
    case .paragraph(let text): "<p>\(Self.escaped(text))</p>"
    case .list(let items): "<ul>\n" + items.map { "<li>\(Self.escaped($0))</li>" }.joined(separator: "\n") + "\n</ul>"
    case .code(let text): "<pre tabindex=\"0\"><code>\(Self.escaped(text))</code></pre>"
    case .table(let table, let caption): HTMLTable(table, caption: caption).html
    case .charts(let charts):
      "<div class=\"charts\">\n" + charts.map { "<figure>\n\($0.svg)</figure>" }.joined(separator: "\n") + "\n</div>"
    }
  }

  /// Text with the signs that mean something to HTML spelled out.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }

  /// Colours are those of the charts.
  private static let styleSheet: String = {
    func properties(_ ink: (ChartTheme.Ink) -> String) -> String {
      "--bg:\(ink(ChartTheme.background));--fg:\(ink(ChartTheme.foreground));--muted:\(ink(ChartTheme.muted));"
        + "--line:\(ink(ChartTheme.grid));--accent:\(ink(ChartTheme.series[0]))"
    }
    return """
      :root{\(properties(\.light))}
      @media (prefers-color-scheme:dark){:root{\(properties(\.dark))}}
      *{box-sizing:border-box}
      body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 Helvetica,Arial,sans-serif}
      main{max-width:1360px;margin:0 auto;padding:16px}
      h1{font-size:1.6rem;line-height:1.25;margin:.4em 0}
      h2{font-size:1.2rem;margin:2em 0 .6em;border-bottom:1px solid var(--line);padding-bottom:.2em}
      p,li{max-width:75ch;overflow-wrap:anywhere}
      .headline{font-size:1.1rem;border-left:4px solid var(--accent);padding-left:12px;margin:.6em 0}
      .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:16px}
      figure{margin:0;min-width:0;break-inside:avoid}
      figure svg{display:block}
      .table{overflow-x:auto;margin:.8em 0}
      table{border-collapse:collapse;font-size:.9rem}
      caption{text-align:left;color:var(--muted);padding:.2em 0}
      th,td{padding:.3em .7em;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
      td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
      td{max-width:60ch;overflow-wrap:break-word}
      pre{overflow-x:auto;border:1px solid var(--line);padding:.7em;font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere}
      footer{margin-top:3em;color:var(--muted);font-size:.9rem}
      @media print{body{font-size:11pt}main{max-width:none;padding:0}h2{break-after:avoid}.table{overflow:visible}}
      """
  }()
}

/// A drawing with the name its files have.
package struct ReportChart: Sendable {
  package var name: String
  package var svg: String

  package init(_ name: String, _ svg: String) {
    self.name = name
    self.svg = svg
  }
}

/// A table as HTML.
struct HTMLTable {
  private let table: ResultTable
  private let caption: String

  init(_ table: ResultTable, caption: String) {
    self.table = table
    self.caption = caption
  }

  /// The table in a box that scrolls by itself where the page is narrow; the box takes the keyboard for that.
  var html: String {
    let head = table.columns.indices.map { cell("th", table.columns[$0].heading, $0, scope: true) }.joined()
    let rows = table.rows.map { row in
      "<tr>" + row.indices.map { cell("td", row[$0].text(style: table.columns[$0].style), $0, scope: false) }.joined()
        + "</tr>"
    }
    return
      "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"\(ReportPage.escaped(caption))\">\n<table>\n"
      + "<caption>\(ReportPage.escaped(caption))</caption>\n<thead><tr>\(head)</tr></thead>\n<tbody>\n"
      + rows.joined(separator: "\n") + "\n</tbody>\n</table>\n</div>"
  }

  private func cell(_ tag: String, _ text: String, _ column: Int, scope: Bool) -> String {
    let isNumeric = table.rows.contains { row in
      if case .text = row[column] { false } else { row[column] != .missing }
    }
    return
      "<\(tag)\(scope ? " scope=\"col\"" : "")\(isNumeric ? " class=\"number\"" : "")>\(ReportPage.escaped(text))</\(tag)>"
  }
}
