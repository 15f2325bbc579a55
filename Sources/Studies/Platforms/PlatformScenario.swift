import CostModels
import Documents
import Execution
import ModelGraph
import Quantities

/// A platform of unlike devices with what was published about it: cases to price, and figures to lay beside them.
///
/// Files are `Workloads/Scenarios/Platforms/NAME.yaml`; `Documentation/plans.md` describes their keys.
package struct PlatformScenario: Sendable {
  /// What is priced.
  package enum Work: Sendable, Equatable {
    /// One decode step at a context.
    case decode(context: Int)
    /// One step that takes in prompts after a context.
    case prefill(tokens: Int, context: Int)
    /// A whole batch.
    case batch(input: Int, output: Int)
  }

  /// What a figure says.
  package enum Figure: String, CaseIterable, Sendable {
    case stepTime = "step-time"
    case timeToFirstToken = "ttft"
    case timePerToken = "tpot"
    case endToEnd = "e2e"
    case tokensPerSecond = "tokens-per-s"
    case tokensPerSecondPerDevice = "tokens-per-s-per-device"
    case mainMemory = "main-memory"
    /// Share of the step that waits for a kind of resource: `of`.
    case exposedShare = "exposed-share"
    /// Tokens a second of this case over those of another: `to`.
    case throughputRatio = "throughput-ratio"
    /// Step time of another case over this one's, and the difference of both in seconds.
    case timeRatio = "time-ratio"
    case timeDifference = "time-difference"
    /// Tokens for a dollar of rent, over those of another.
    case valueRatio = "value-ratio"
    /// The smallest batch whose step waits for the devices and no longer for launches, and how many times as large as
    /// another case's it is.
    case deviceBoundBatch = "device-bound-batch"
    case deviceBoundRatio = "device-bound-ratio"
    /// Rate once the case is hot, over the rate before.
    case sustainedShare = "sustained-share"

    var isTime: Bool {
      switch self {
      case .stepTime, .timeToFirstToken, .timePerToken, .endToEnd, .timeDifference: true
      default: false
      }
    }

    var needsOther: Bool {
      switch self {
      case .throughputRatio, .timeRatio, .timeDifference, .valueRatio, .deviceBoundRatio: true
      default: false
      }
    }
  }

  package struct Published: Sendable {
    package var figure: Figure
    /// Seconds, bytes, or a plain number; nothing where the source gives no figure.
    package var value: Double?
    /// Case that a ratio is to, resource kind that a share is of.
    package var other: String?
    package var source: String
  }

  package struct Case: Sendable {
    package var name: String
    package var request: Library.Request
    package var sequences: Int
    package var work: Work
    package var published: [Published]
    /// Why a prediction is expected to miss, or what was assumed.
    package var note: String?
  }

  package var name: String
  package var title: String
  package var aliases: [String] = []
  package var notes: String?
  package var cases: [Case]
}
