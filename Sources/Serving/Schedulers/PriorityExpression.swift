import EventKernel

/// A user's formula over what is known of a request, read once and then worked out in a few nanoseconds a field.
///
///     sum     -> product (("+" | "-") product)*        also "<" "<=" ">" ">=" "==" "!=" between two sums: 1 or 0
///     product -> unary (("*" | "/") unary)*
///     unary   -> ("-" | "+")* (number | field | function "(" arguments ")" | "(" formula ")")
///
/// Arithmetic is that of IEEE 754: a division by zero gives an infinity. What is no number at all (0 / 0, the logarithm of
/// a negative number) counts as plus infinity in the end, so that such a request goes last.
struct PriorityExpression: Sendable {
  enum Function: String, CaseIterable, Sendable {
    case min, max, log, sqrt, abs, `if`

    /// Arguments it takes: exactly so many, or at least two.
    var arguments: Int? {
      switch self {
      case .min, .max: nil
      case .log, .sqrt, .abs: 1
      case .if: 3
      }
    }
  }

  enum Operator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "=="
    case unequal = "!="
  }

  enum Instruction: Sendable {
    case number(Double)
    case field(RequestField)
    case negate
    case binary(Operator)
    case call(Function)
  }

  /// In postfix order.
  let program: [Instruction]
  /// The most values the program keeps at once.
  private let depth: Int

  /// The fields it asks for.
  var fields: Set<RequestField> {
    Set(program.compactMap { if case .field(let field) = $0 { field } else { nil } })
  }

  /// - Throws: ``PolicyError`` with the position of what cannot be, and the nearest name where there is one.
  init(_ text: String) throws(PolicyError) {
    var parser = ExpressionParser(text)
    program = try parser.parse()
    var size = 0
    var depth = 0
    for instruction in program {
      size += 1 - instruction.operands
      depth = max(depth, size)
    }
    self.depth = depth
  }

  /// The value for a request; never NaN.
  /// - Complexity: O(length of the formula), without allocations.
  func value(_ request: RequestView) -> Double {
    let result = withUnsafeTemporaryAllocation(of: Double.self, capacity: depth) { stack in
      var top = -1
      for instruction in program {
        top += 1 - instruction.operands
        stack[top] = instruction.result(stack, top, request)
      }
      return stack[0]
    }
    return result.isNaN ? .infinity : result
  }
}

extension PriorityExpression.Instruction {
  /// Values it takes from the stack.
  var operands: Int {
    switch self {
    case .number, .field: 0
    case .negate: 1
    case .binary: 2
    case .call(let function): function.arguments ?? 2
    }
  }

  fileprivate func result(_ stack: UnsafeMutableBufferPointer<Double>, _ top: Int, _ request: RequestView) -> Double {
    switch self {
    case .number(let value): value
    case .field(let field): field.value(request)
    case .negate: -stack[top]
    case .binary(let operation): operation.result(stack[top], stack[top + 1])
    case .call(.if): stack[top] != 0 ? stack[top + 1] : stack[top + 2]
    case .call(.min): Swift.min(stack[top], stack[top + 1])
    case .call(.max): Swift.max(stack[top], stack[top + 1])
    case .call(.log): Self.log(stack[top])
    case .call(.sqrt): stack[top].squareRoot()
    case .call(.abs): Swift.abs(stack[top])
    }
  }

  /// The natural logarithm, the same on every machine; minus infinity of what is too small for a normal number.
  private static func log(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x < .leastNormalMagnitude { return -.infinity }
    return x.isFinite ? PortableMath.log(x) : x
  }
}

extension PriorityExpression.Operator {
  fileprivate func result(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    case .equal: a == b ? 1 : 0
    case .unequal: a != b ? 1 : 0
    }
  }
}
