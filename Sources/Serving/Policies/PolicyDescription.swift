/// What help, documents and messages say of a policy, and the parameters it takes.
package struct PolicyDescription: Sendable {
  package var name: String
  package var summary: String
  package var parameters: [PolicyParameter]
  /// Where the policy was published, or what does it so.
  package var source: String

  package init(_ name: String, _ summary: String, source: String, _ parameters: [PolicyParameter] = []) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.source = source
  }
}

/// A number that a policy can be given.
package struct PolicyParameter: Sendable {
  package var name: String
  package var meaning: String
  package var range: ClosedRange<Double>
  package var standard: Double
  /// Unit, for help: "tokens", "s"; empty for plain numbers.
  package var unit: String

  package init(_ name: String, _ meaning: String, _ range: ClosedRange<Double>, standard: Double, unit: String = "") {
    self.name = name
    self.meaning = meaning
    self.range = range
    self.standard = standard
    self.unit = unit
  }
}

/// The numbers a policy was given, every parameter with a value.
package struct PolicyValues: Sendable, Equatable {
  private var values: [String: Double] = [:]

  package init() {}

  package init(standardsOf description: PolicyDescription) {
    for parameter in description.parameters { values[parameter.name] = parameter.standard }
  }

  package subscript(name: String) -> Double {
    get { values[name] ?? 0 }
    set { values[name] = newValue }
  }

  package func int(_ name: String) -> Int { Int(self[name].rounded()) }
}
