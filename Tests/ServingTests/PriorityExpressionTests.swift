import EventKernel
import Testing

@testable import Serving

@Suite struct PriorityExpressionTests {
  /// 3 s after the start, 2 s after its arrival.
  private let request = RequestView(
    now: 3_000_000_000, arrival: 1_000_000_000, inputTokens: 500, computedTokens: 64, generatedTokens: 7,
    predictedTokens: 90, priority: 4, tenantWeight: 2.5, tenantService: 1000, firstTokenDeadline: 5_000_000_000,
    deadline: nil, preemptions: 1)

  private func value(_ text: String) throws -> Double { try PriorityExpression(text).value(request) }

  private func message(_ text: String) -> String {
    do {
      return "no error, but \(try PriorityExpression(text).program)"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("1", 1), ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("8 - 3 - 2", 3), ("16 / 4 / 2", 2), ("-2 * -3", 6), ("--5", 5),
    ("-(1 + 2)", -3), ("+4", 4), ("1.5e3", 1500), ("2E-1", 0.2), (".5", 0.5), ("2 < 3", 1), ("2 >= 3", 0),
    ("1 + 1 == 2", 1), ("1 != 1", 0), ("2 <= 2", 1), ("3 > 2", 1), ("(2 < 3) + 1", 2), ("min(4, 2, 3)", 2),
    ("max(4, 2, 9, 3)", 9), ("sqrt(16)", 4), ("abs(-3)", 3), ("log(1)", 0), ("if(1 > 2, 10, 20)", 20),
    ("if(-0.5, 10, 20)", 10), ("min(max(1, 2), if(0, 1, 3))", 2), (" 1\t+\n1 ", 2),
  ])
  func `arithmetic is as written`(text: String, expected: Double) throws {
    #expect(try value(text) == expected)
  }

  @Test(
    arguments: [
      ("now", 3), ("arrival", 1), ("waited", 2), ("input_tokens", 500), ("computed_tokens", 64),
      ("generated_tokens", 7), ("predicted_tokens", 90), ("priority", 4), ("tenant_weight", 2.5),
      ("tenant_service", 1000), ("first_token_deadline", 5), ("deadline", .infinity), ("preemptions", 1),
      ("-priority*10 + waited*0.1 + input_tokens/1000", -39.3),
    ] as [(String, Double)])
  func `fields are those of the request, times in seconds`(text: String, expected: Double) throws {
    #expect(try value(text) == expected)
  }

  @Test func `what is no number ranks last, and infinities are kept`() throws {
    for text in ["0/0", "log(-1)", "sqrt(-1)", "deadline - deadline", "0 * deadline"] {
      #expect(try value(text) == .infinity, "\(text)")
    }
    #expect(try value("1/0") == .infinity)
    #expect(try value("-1/0") == -.infinity)
    #expect(try value("log(0)") == -.infinity)
    #expect(try value("log(deadline)") == .infinity)
    #expect(try value("if(0/0, 1, 2)") == 1)
  }

  @Test(arguments: [
    ("", "character 1: ends early"), ("1 +", "character 4: ends early"), ("1 2", "character 3: found '2'"),
    ("(1", "character 3: ends early, expected ')'"), ("1)", "character 2: found ')'"),
    ("waitd", "character 1: unknown field 'waitd'"), ("2 * inputtokens", "did you mean 'input_tokens'?"),
    ("min(1)", "character 4: min takes two arguments or more, found 1"), ("log(1, 2)", "log takes 1 argument, found 2"),
    ("if(1, 2)", "if takes 3 arguments, found 2"), ("waited(1)", "waited is a field, not a function"),
    ("min 1", "expected '('"), ("1 & 2", "character 3: found '&'"), ("1.2.3", "'1.2.3' is no number"),
    ("1e999", "'1e999' is no number"), ("1e", "'1e' is no number"), ("1 < 2 < 3", "character 7: found '<'"),
    ("1 = 2", "character 3: found '='"), ("ä", "found 'ä'"), ("()", "character 2: found ')'"),
  ])
  func `mistakes are named with their place`(text: String, expected: String) {
    #expect(message(text).contains(expected), "\(message(text))")
  }

  @Test func `depth and length are bounded`() {
    #expect(message(String(repeating: "(", count: 900) + "1" + String(repeating: ")", count: 900)).contains("nested"))
    #expect(message(String(repeating: "1+", count: 1500) + "1").contains("expected 2000 at most"))
    #expect(message(String(repeating: "-", count: 1900) + "1").hasPrefix("no error"))
  }

  @Test func `random scraps are read or refused, and whatever is read has a value`() throws {
    let scraps =
      ["1", "0", ".5", "(", ")", ",", "+", "-", "*", "/", "<", ">=", "==", " ", "e9", "?", "if(", "min("]
      + RequestField.allCases.map(\.rawValue) + PriorityExpression.Function.allCases.map(\.rawValue)
    var random = RandomStream(seed: 5, name: "scraps")
    var read = 0
    for _ in 0..<20_000 {
      let text = (0...random.integer(below: 7)).map { _ in scraps[random.integer(below: scraps.count)] }.joined()
      guard let expression = try? PriorityExpression(text) else { continue }
      read += 1
      #expect(!expression.value(request).isNaN, "\(text)")
    }
    #expect(read > 200)
  }

  @Test func `only formulas over time and service are asked again while requests wait`() throws {
    func isChanging(_ text: String) throws -> Bool {
      if case .changingKey = try Schedulers.make("expression:\(text)").line { true } else { false }
    }
    for text in ["waited", "deadline - now", "tenant_service/tenant_weight"] { #expect(try isChanging(text)) }
    for text in ["arrival", "input_tokens", "-priority + preemptions"] { #expect(try !isChanging(text)) }
    #expect(try Schedulers.make("expression:tenant_service").countsService)
    #expect(try !Schedulers.make("expression:waited").countsService)
  }

  @Test func `predicted lengths must be declared`() throws {
    #expect(throws: PolicyError.self) { try Schedulers.make("expression:predicted_tokens") }
    #expect(try Schedulers.make("expression:predicted_tokens,lengths=oracle").lengths == .oracle)
    #expect(try Schedulers.make("expression:predicted_tokens,lengths=ranked,tau=0.3").lengths == .ranked(tau: 0.3))
  }
}
