/// Four parts of the models of a data set, about as many rows in each: models are dealt out, those of most rows first,
/// to the part that has fewest. Checkpoints of one architecture stay together.
struct ModelQuarters {
  private var parts: [String: Int] = [:]

  init(_ rows: [PreparedRun]) {
    let models = FoldedFit.grouped(rows, by: \.architecture).sorted {
      ($1.members.count, $0.key) < ($0.members.count, $1.key)
    }
    var sizes = [0, 0, 0, 0]
    for model in models {
      let emptiest = sizes.indices.reduce(0) { sizes[$1] < sizes[$0] ? $1 : $0 }
      parts[model.key] = emptiest
      sizes[emptiest] += model.members.count
    }
  }

  func name(_ row: PreparedRun) -> String { "part \(parts[row.architecture] ?? 0)" }
}
