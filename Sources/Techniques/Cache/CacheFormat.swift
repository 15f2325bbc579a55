import Documents
import ModelGraph

/// A cache of few bits, with scales, and its last tokens in 16 bits (T5).
package struct CacheFormat: Technique {
  package static let description = ChoiceDescription(
    "kv-quant", "keys and values of few bits with scales; the last tokens may stay in 16 bits",
    source: "Liu et al., KIVI, arXiv:2402.02750; Hooper et al., KVQuant, arXiv:2401.18079",
    [
      .required("bits", "bits of a cached value", 1...16, unit: "bits"),
      .whole(
        "group", "values that share a scale and a zero point; 0 for none", 0...1_000_000, standard: 64,
        unit: "values"),
      ChoiceParameter("scale", "bits of a scale and its zero point", 0...64, standard: 32, unit: "bits"),
      .whole("window", "last tokens that stay in 16 bits", 0...1_000_000, standard: 0, unit: "tokens"),
      ChoiceParameter("expand", "vector operations that expand one value", 0...1000, standard: 2, unit: "operations"),
    ])
  package static let decides = [Aspect.cacheFormat]
  package static let quality = """
    4-bit caches are close to lossless, 2-bit ones lose 1 to 3 points on long-context tasks (KIVI, arXiv:2402.02750)
    """

  private let stored: StoredFormat
  private let window: Int

  package init(_ values: ChoiceValues) {
    let group = values.int("group")
    let bits = values["bits"] + (group > 0 ? values["scale"] / Double(group) : 0)
    stored = StoredFormat("int\(ChoiceValue.number(values["bits"]))-kv", bits: bits, expansion: values["expand"])
    window = values.int("window")
  }

  package func apply(to design: inout Design) throws(TechniqueError) {
    guard design.model.hasCache else { throw Self.inapplicable(to: design.model, "it keeps no keys and values") }
    design.plan.formats.details.kv = stored
    guard window > 0 else { return }
    design.model.changeCaches { _, _, rule in rule.recent = window }
  }
}
