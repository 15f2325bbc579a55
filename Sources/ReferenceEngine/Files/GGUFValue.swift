import Documents

/// A metadata value of a GGUF file; numbers of all widths as one kind.
enum GGUFValue {
  case int(Int)
  case real(Double)
  case flag(Bool)
  case text(String)
  case ints([Int])
  case reals([Double])
  case flags([Bool])
  case texts([String])

  /// What it is and says, for messages.
  var found: String {
    switch self {
    case .int(let number): "\(number)"
    case .real(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .text(let text): shown(text)
    case .ints(let list): "a list of \(list.count) numbers"
    case .reals(let list): "a list of \(list.count) numbers"
    case .flags(let list): "a list of \(list.count) flags"
    case .texts(let list): "a list of \(list.count) texts"
    }
  }

  init(_ type: UInt32, _ cursor: inout ByteCursor, key: String) throws {
    guard type != 9 else {
      self = try Self.list(&cursor, key: key)
      return
    }
    self = try Self.scalar(type, &cursor, key: key)
  }

  private static func scalar(_ type: UInt32, _ cursor: inout ByteCursor, key: String) throws -> GGUFValue {
    let what = shown(key)
    switch type {
    case 0: return .int(Int(try cursor.number(UInt8.self, what)))
    case 1: return .int(Int(try cursor.number(Int8.self, what)))
    case 2: return .int(Int(try cursor.number(UInt16.self, what)))
    case 3: return .int(Int(try cursor.number(Int16.self, what)))
    case 4: return .int(Int(try cursor.number(UInt32.self, what)))
    case 5: return .int(Int(try cursor.number(Int32.self, what)))
    case 6: return .real(Double(Float(bitPattern: try cursor.number(UInt32.self, what))))
    case 7:
      let byte = try cursor.number(UInt8.self, what)
      guard byte <= 1 else { throw cursor.file.error("found the flag \(byte), expected 0 or 1", field: key) }
      return .flag(byte == 1)
    case 8: return .text(try cursor.text(what))
    case 10:
      let number = try cursor.number(UInt64.self, what)
      guard let exact = Int(exactly: number) else {
        throw cursor.file.error("found \(number), a number too large", field: key)
      }
      return .int(exact)
    case 11: return .int(Int(try cursor.number(Int64.self, what)))
    case 12: return .real(Double(bitPattern: try cursor.number(UInt64.self, what)))
    default: throw cursor.file.error("has the value type \(type), which the format does not know", field: key)
    }
  }

  private static func list(_ cursor: inout ByteCursor, key: String) throws -> GGUFValue {
    let type = try cursor.number(UInt32.self, "the type of \(shown(key))")
    guard let size = width(type) else {
      throw cursor.file.error("is a list of the value type \(type), which is not understood", field: key)
    }
    let count = try cursor.count("the length of \(shown(key))", each: size)
    var values: [GGUFValue] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try scalar(type, &cursor, key: key)) }
    return gathered(values, type)
  }

  private static func gathered(_ values: [GGUFValue], _ type: UInt32) -> GGUFValue {
    switch type {
    case 6, 12: .reals(values.compactMap { if case .real(let number) = $0 { number } else { nil } })
    case 7: .flags(values.compactMap { if case .flag(let flag) = $0 { flag } else { nil } })
    case 8: .texts(values.compactMap { if case .text(let text) = $0 { text } else { nil } })
    default: .ints(values.compactMap { if case .int(let number) = $0 { number } else { nil } })
    }
  }

  /// Least bytes of a value in a list; nothing for types that lists do not hold here.
  private static func width(_ type: UInt32) -> Int? {
    switch type {
    case 0, 1, 7: 1
    case 2, 3: 2
    case 4, 5, 6: 4
    case 8, 10, 11, 12: 8
    default: nil
    }
  }
}
