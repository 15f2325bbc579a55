import Quantities

extension OperatorGraph {
  /// Projections and the scan of a recurrent mixer.
  func addRecurrent(_ recurrent: Recurrent, _ step: StepShape, count: Int, to list: inout [Operator]) {
    let tensor = parallelism.tensor
    for projection in recurrent.projections {
      // Projections back to the stream split their inputs, the others their outputs.
      let back = projection.outputs == hidden
      addGEMM(
        projection.name, rows: step.tokens, columns: back ? hidden : projection.outputs.dividedUp(by: tensor),
        inner: back ? projection.inputs.dividedUp(by: tensor) : projection.inputs, count: count, to: &list)
    }
    addScan(
      recurrent, .decode, tokens: step.decodeTokens, visits: Double(step.decodeTokens), count: count, to: &list)
    // A prompt's state is read and written once a chunk, at least once a sequence.
    let chunks = Double(step.prefillTokens) / Double(max(1, recurrent.chunk))
    addScan(
      recurrent, .prefill, tokens: step.prefillTokens, visits: max(Double(step.prefillSequences), chunks), count: count,
      to: &list)
  }

  private func addScan(
    _ recurrent: Recurrent, _ scope: Operator.Scope, tokens: Int, visits: Double, count: Int,
    to list: inout [Operator]
  ) {
    guard tokens > 0 else { return }
    let tensor = parallelism.tensor
    let format = recurrent.stateFormat ?? formats.stream
    let state = format.size(of: Double(recurrent.stateElements.dividedUp(by: tensor)))
    let width = (recurrent.projections.map(\.outputs).max() ?? hidden).dividedUp(by: tensor)
    list.append(
      Operator(
        name: "\(recurrent.kind.rawValue)_scan", kind: .recurrentScan, count: count,
        flops: FLOPs(Double(tokens) * Double(recurrent.scanFLOPsPerToken) / Double(tensor)),
        traffic: Traffic(
          activations: formats.stream.size(of: Double(tokens * 2 * width)), state: state * (2 * visits)),
        compute: formats.stream, scope: scope))
  }
}
