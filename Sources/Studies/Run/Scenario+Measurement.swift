import Serving

extension Scenario {
  /// What a single run is measured by. A warm-up that is to be found afterwards is not cut from it.
  package var measurement: MeasurementOptions {
    var options = MeasurementOptions()
    switch warmUp {
    case .automatic: options.warmUp = .none
    case .requests(let count): options.warmUp = .requests(count)
    case .time(let time): options.warmUp = .time(time)
    }
    return options
  }
}
