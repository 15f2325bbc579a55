/// As many replicas as the requests expected next need, by a forecast of arrivals with level and trend.
package struct HoltForecast: Autoscaler {
  package static let description = PolicyDescription(
    "holt", "forecast of arrivals with level and trend; replicas = forecast x time in the pool / requests on each",
    source: "Holt's linear exponential smoothing (1957); Little's law",
    Forecast.parameters + [
      PolicyParameter("beta", "weight of the newest change in the trend", 0...1, standard: 0.2)
    ])

  private var forecast: Forecast

  package init(_ values: PolicyValues) { forecast = Forecast(values, beta: values["beta"]) }

  package mutating func replicas(_ pool: PoolView) -> Int { forecast.replicas(pool) }
}
