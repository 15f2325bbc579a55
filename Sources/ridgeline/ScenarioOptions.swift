import ArgumentParser
import Execution
import Studies

/// Options that make a scenario, or replace parts of one.
struct ScenarioOptions: ParsableArguments {
  @OptionGroup(title: "What serves") var deployment: DeploymentOptions
  @OptionGroup(title: "Traffic") var traffic: TrafficOptions
  @OptionGroup(title: "Policies") var policies: PolicyOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Judgement") var judgement: JudgementOptions

  /// - Parameter name: A shipped scenario, or a path to one of the user's own; nothing starts from the options alone.
  func scenario(_ name: String?, _ library: Library) throws -> Scenario {
    try applied(to: name.map { try library.scenarios().find($0) } ?? Scenario(name: "options", title: ""))
  }

  /// A scenario with what the options replace.
  func applied(to given: Scenario) throws -> Scenario {
    var scenario = given
    try deployment.apply(to: &scenario)
    try policies.apply(to: &scenario)
    try limits.apply(to: &scenario.replica.limits)
    try traffic.apply(to: &scenario)
    try judgement.apply(to: &scenario)
    return scenario
  }
}
