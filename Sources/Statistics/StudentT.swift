import CGSL

/// Student's t distribution, for confidence intervals of means of few batches.
package enum StudentT {
  /// The half-width, in standard errors, of a two-sided interval.
  /// - Parameters:
  ///   - confidence: Between 0 and 1, for example 0.95.
  ///  - degreesOfFreedom: At least 1.
  package static func halfWidth(confidence: Double, degreesOfFreedom: Int) -> Double {
    precondition(confidence > 0 && confidence < 1 && degreesOfFreedom >= 1, "a confidence is between 0 and 1")
    return gsl_cdf_tdist_Pinv(0.5 + confidence / 2, Double(degreesOfFreedom))
  }
}
