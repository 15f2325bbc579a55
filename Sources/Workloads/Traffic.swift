/// Traffic to make up: how requests arrive and how long they are.
package struct Traffic: Sendable {
  package var name: String
  package var title: String
  package var aliases: [String]
  package var arrivals: ArrivalProcess
  package var inputTokens: LengthDistribution
  package var outputTokens: LengthDistribution
  /// Spearman's rank correlation between a request's input and output tokens; 0 draws them independently.
  package var rankCorrelation: Double
  /// Requests to generate when nobody says otherwise.
  package var requests: Int
  package var notes: String?
  /// Citation by the path of the number it supports.
  package var citations: [String: String]
}
