import Foundation
import Testing

private let smallScenario = """
  name: small
  title: A small replay
  model: opt-125m
  hardware: t4
  traffic: {name: chat-short, rate_per_s: 5}
  horizon: {requests: 200}

  """

/// Where Debian's browser is; nothing where it is not installed.
private let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}

/// Pages in a real browser. The page stands in a frame of a given width, because windows have a least width.
@Suite(.enabled(if: browser != nil, "Chromium is not installed (Debian: chromium)"))
struct ReportPageTests {
  private static let probe = """
    <script>
    const frame = document.querySelector('iframe');
    const failures = [];
    window.onerror = message => { failures.push('script: ' + message); };
    function luminance(text) {
      const [r, g, b] = text.match(/[0-9.]+/g).map(Number).slice(0, 3).map(v => {
        v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function contrast(a, b) {
      const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
      return (x + 0.05) / (y + 0.05);
    }
    frame.onload = () => {
      const view = frame.contentWindow, page = frame.contentDocument, width = view.innerWidth;
      if (page.documentElement.scrollWidth > width) failures.push('page is ' + page.documentElement.scrollWidth + ' wide of ' + width);
      const ground = view.getComputedStyle(page.body).backgroundColor;
      let texts = 0, drawings = 0;
      for (const item of page.querySelectorAll('body *')) {
        if (item.closest('defs, title, desc, style, clipPath')) continue;
        const box = item.getBoundingClientRect();
        const scrolls = item.closest('.table');
        if (!scrolls && box.width > 0 && (box.right > width + 1 || box.left < -1)) failures.push('overflow: ' + item.tagName + ' ' + item.textContent.slice(0, 40));
        const own = [...item.childNodes].some(node => node.nodeType == 3 && node.textContent.trim());
        if (!own) continue;
        texts += 1;
        const style = view.getComputedStyle(item);
        const ink = item.namespaceURI.endsWith('svg') ? style.fill : style.color;
        const ratio = contrast(ink, ground);
        if (ratio < 4.5) failures.push('contrast ' + ratio.toFixed(2) + ': ' + item.tagName + ' ' + item.textContent.slice(0, 40));
      }
      const ids = [...page.querySelectorAll('[id]')].map(item => item.id);
      if (new Set(ids).size != ids.length) failures.push('two elements have one id');
      for (const drawing of page.querySelectorAll('svg')) {
        drawings += 1;
        const names = (drawing.getAttribute('aria-labelledby') || '').split(' ').map(id => page.getElementById(id));
        if (drawing.getAttribute('role') != 'img' || names.some(name => !name || !name.textContent)) failures.push('a drawing has no words');
      }
      const answer = document.createElement('pre');
      answer.id = 'answer';
      answer.textContent = JSON.stringify({width, texts, drawings, ground, failures: failures.slice(0, 10)});
      document.body.replaceChildren(answer);
    };
    frame.srcdoc = decodeURIComponent(escape(atob(frame.dataset.page)));
    </script>
    """

  private struct Findings: Decodable {
    var width: Int
    var texts: Int
    var drawings: Int
    var ground: String
    var failures: [String]
  }

  private func look(_ command: Command, _ page: String, width: Int, isDark: Bool = false) throws -> Findings {
    let text = Data(try command.read(page).utf8).base64EncodedString()
    try command.write(
      "probe.html",
      "<!DOCTYPE html><meta charset=utf-8><body><iframe style='width:\(width)px;height:900px;border:0' data-page='\(text)'></iframe>\(Self.probe)"
    )
    let scheme = isDark ? "--blink-settings=preferredColorScheme=0" : "--blink-settings=preferredColorScheme=1"
    let words = [
      try #require(browser), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", scheme,
      "--window-size=1600,1000", "--virtual-time-budget=8000", "--user-data-dir=profile", "--enable-logging=stderr",
      "--dump-dom", "file://\(command.folder.path)/probe.html",
    ]
    let outcome = try command.shell("HOME=$PWD timeout 90 " + words.map { "'\($0)'" }.joined(separator: " "))
    #expect(!outcome.messages.contains("Uncaught"), "\(outcome.messages)")
    let start = try #require(outcome.output.range(of: "<pre id=\"answer\">"), "\(outcome.messages.suffix(2000))")
    let end = try #require(outcome.output.range(of: "</pre>", range: start.upperBound..<outcome.output.endIndex))
    let json = outcome.output[start.upperBound..<end.lowerBound].replacingOccurrences(of: "&gt;", with: ">")
      .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&amp;", with: "&")
    return try JSONDecoder().decode(Findings.self, from: Data(json.utf8))
  }

  private func pages() throws -> Command {
    let command = try Command()
    try command.write("small.yaml", smallScenario)
    for line in [
      "simulate small.yaml --store s.sqlite", "report 1 --store s.sqlite --output run.html",
      "sweep small.yaml --vary traffic.rate_per_s=1..40:5 --vary hardware=t4,l4 --store s.sqlite",
      "report small --store s.sqlite --output sweep.html",
    ] {
      let outcome = try command.run(line)
      #expect(outcome.code == 0, "\(outcome.messages)")
    }
    return command
  }

  @Test func pagesFitPhonesAndScreensAndReadOnBothGrounds() throws {
    let command = try pages()
    for page in ["run.html", "sweep.html"] {
      for (width, isDark) in [(400, false), (400, true), (1400, false), (1400, true)] {
        let found = try look(command, page, width: width, isDark: isDark)
        #expect(found.failures.isEmpty, "\(page) at \(width): \(found.failures)")
        #expect(found.width == width && found.texts > 50 && found.drawings >= 4)
        #expect((found.ground == "rgb(255, 255, 255)") == !isDark, "\(found.ground)")
      }
    }
  }

  /// Command lines that answer a question with a page, and the least drawings of each.
  private static let decisions: [(page: String, line: String, drawings: Int)] = [
    (
      "size.html",
      "size --model qwen2.5-0.5b --hardware t4,l4 --traffic chat-short --rate 5 --ttft 2s --tpot 100ms --requests 200 "
        + "--tp 1 --pp 1 --precisions bf16", 4
    ),
    ("energy.html", "energy --model llama-3-8b --hardware h100-sxm --batch 16 --tpot 20ms --rate 20", 7),
    ("require.html", "require --model llama-3-8b --hardware h100-sxm --batch 16 --ttft 500ms --tpot 3ms", 2),
    ("compare.html", "compare small.yaml --across hardware=t4,l4 --replications 2", 5),
  ]

  @Test(arguments: decisions.indices) func answersAsPagesFitToo(index: Int) throws {
    let (page, line, drawings) = Self.decisions[index]
    let command = try Command()
    try command.write("small.yaml", smallScenario)
    let outcome = try command.run(line + " --report " + page)
    #expect(outcome.code == 0, "\(outcome.messages)")
    for (width, isDark) in [(400, false), (400, true), (1400, false), (1400, true)] {
      let found = try look(command, page, width: width, isDark: isDark)
      #expect(found.failures.isEmpty, "\(page) at \(width): \(found.failures)")
      #expect(found.width == width && found.texts > 20 && found.drawings >= drawings, "\(page): \(found)")
    }
  }

  @Test func theProbeFindsWhatItLooksFor() throws {
    let command = try Command()
    try command.write(
      "bad.html",
      "<!DOCTYPE html><body style='background:#fff'><p style='width:2000px'>wide</p><p style='color:#bbb'>pale</p>")
    let found = try look(command, "bad.html", width: 400)
    #expect(found.failures.contains { $0.hasPrefix("page is") } && found.failures.contains { $0.hasPrefix("overflow") })
    #expect(found.failures.contains { $0.hasPrefix("contrast") })
  }
}

@Suite struct ReportFileTests {
  @Test func aPageNeedsNothingElse() throws {
    let command = try Command()
    #expect(try command.run("predict --model llama-3-8b --hardware h100-sxm --batch 8 --store s.sqlite").code == 0)
    let outcome = try command.run("report 1 --store s.sqlite --output page.html --charts charts")
    #expect(outcome.code == 0, "\(outcome.messages)")
    let page = try command.read("page.html")
    for word in ["<script", "<link", "src=", "@import", "url(http"] { #expect(!page.contains(word), "\(word)") }
    for word in [
      "prefers-color-scheme:dark", "@media print", "width=device-width", "Assumptions", "Operators under the roof",
      "expected to find a token every",
    ] {
      #expect(page.contains(word), "\(word)")
    }
    let charts = try FileManager.default.contentsOfDirectory(atPath: command.folder.path + "/charts")
    #expect(charts.filter { $0.hasSuffix(".svg") }.count >= 5)
  }

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/rsvg-convert"),
      "rsvg-convert is not installed (Debian: librsvg2-bin)"))
  func drawingsAreFilesOfBothKinds() throws {
    let command = try Command()
    let outcome = try command.run(
      "require --model llama-3-8b --hardware h100-sxm --batch 16 --tpot 3ms --charts charts")
    #expect(outcome.code == 0 && outcome.messages.contains("as SVG and PNG"), "\(outcome.messages)")
    for name in ["needs", "iso"] {
      #expect(try command.read("charts/\(name).svg").hasPrefix("<svg"))
      let bytes = [UInt8](try Data(contentsOf: command.folder.appendingPathComponent("charts/\(name).png")))
      // The signature of PNG, then the header with the width.
      #expect(Array(bytes.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      #expect(bytes[16..<20].reduce(0) { $0 << 8 | Int($1) } == 960)
    }
  }

  @Test func whatIsNotThereIsSaid() throws {
    let command = try Command()
    #expect(try command.run("predict --model opt-125m --hardware t4 --store s.sqlite").code == 0)
    expectRefusal(try command.run("report 7 --store s.sqlite"), code: 1, ["has no run '7'; the latest are 1"])
    expectRefusal(try command.run("report x --sweep --store s.sqlite"), code: 1, ["has no sweep 'x'"])
    try command.write("small.yaml", smallScenario)
    #expect(try command.run("sweep small.yaml --vary replicas=1,2 --store s.sqlite").code == 0)
    expectRefusal(
      try command.run("report small --store s.sqlite --pareto tpot_p99_s,tpot_p9_s"), code: 2,
      ["no metric 'tpot_p9_s' in this sweep; did you mean 'tpot_p99_s'?"])
    expectRefusal(try command.run("report 1 --store s.sqlite --output /proc/x.html"), code: 1, ["/proc/x.html"])
  }
}
