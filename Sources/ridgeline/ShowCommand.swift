import ArgumentParser
struct ShowCommand: ParsableCommand {
  func run() throws {}
}
struct SimulateCommand: ParsableCommand {
  func run() throws {}
}
