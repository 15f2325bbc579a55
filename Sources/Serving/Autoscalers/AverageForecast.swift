/// As many replicas as the requests expected next need, by the moving average of arrivals.
package struct AverageForecast: Autoscaler {
  package static let description = PolicyDescription(
    "ewma", "moving average of arrivals; replicas = forecast x time in the pool / requests on each",
    source: "exponentially weighted moving average (Brown 1956); Little's law", Forecast.parameters)

  private var forecast: Forecast

  package init(_ values: PolicyValues) { forecast = Forecast(values, beta: 0) }

  package mutating func replicas(_ pool: PoolView) -> Int { forecast.replicas(pool) }
}
