import Documents
import Studies

extension ScenarioOptions {
  /// A scenario's document with the fields that options set, so that what is stored says all of it.
  ///
  /// A scenario made of options alone has the document that says the same.
  func document(of scenario: Scenario, named name: String?) -> Node {
    let origin = Node(.object([]), file: "options")
    let about: [(String, Node.Value)] = [("name", .string(name ?? "options")), ("title", .string("Made of options"))]
    let base = scenario.document ?? about.reduce(origin) { set($0, $1.0, $1.1) }
    return fields.reduce(base) { set($0, $1.0, $1.1) }
  }

  /// A field that cannot be set in the document at hand is left as it was; the command line says it all the same.
  private func set(_ document: Node, _ field: String, _ value: Node.Value) -> Node {
    (try? document.setting(field, to: Node(value, file: "options", path: field))) ?? document
  }

  private var fields: [(String, Node.Value)] {
    deploymentFields + trafficFields + policyFields + limitFields + judgementFields
  }

  private var deploymentFields: [(String, Node.Value)] {
    texts([
      ("model", deployment.model), ("hardware", deployment.hardware), ("runtime", deployment.runtime),
      ("formats.weights", deployment.weights), ("formats.activations", deployment.activations),
      ("formats.kv", deployment.kvFormat),
    ])
      + numbers([
        ("parallelism.tensor", deployment.tp), ("parallelism.pipeline", deployment.pp),
        ("parallelism.expert", deployment.ep), ("parallelism.data", deployment.dp),
      ])
  }

  private var trafficFields: [(String, Node.Value)] {
    var fields: [(String, Node.Value)] = []
    if let trace = traffic.trace {
      fields.append(("traffic", .object([("trace", Node(.string(trace), file: "options"))])))
    }
    if let name = traffic.traffic {
      fields.append(("traffic", .object([("name", Node(.string(name), file: "options"))])))
    }
    if let rate = traffic.rate { fields.append(("traffic.rate_per_s", .double(rate))) }
    if let scale = traffic.timeScale { fields.append(("traffic.time_scale", .double(scale))) }
    return fields + numbers([("horizon.requests", traffic.count), ("seed", traffic.seed)])
  }

  private var policyFields: [(String, Node.Value)] {
    var fields = texts([
      ("scheduler", policies.scheduler), ("router", policies.router), ("admission", policies.admission),
      ("signal_age", policies.signalAge), ("batching", policies.batching?.rawValue),
      ("preemption", policies.preemption?.rawValue), ("preemption.host_memory", policies.swapSpace),
      ("power_cap", policies.powerCap),
    ])
    if let cache = policies.prefixCache { fields.append(("prefix_cache", .bool(cache))) }
    if let eviction = policies.eviction { fields.append(("prefix_cache", .string(eviction.rawValue))) }
    return fields + numbers([("replicas", policies.replicas)])
  }

  private var limitFields: [(String, Node.Value)] {
    numbers([
      ("limits.max_num_batched_tokens", limits.maxBatchedTokens), ("limits.max_num_seqs", limits.maxSequences),
      ("limits.micro_batch_seqs", limits.microBatchSequences),
      ("limits.max_model_len", limits.maxModelLength), ("limits.num_kv_blocks", limits.blocks),
      ("limits.long_prefill_threshold", limits.longPrefillThreshold),
    ])
  }

  private var judgementFields: [(String, Node.Value)] {
    texts([
      ("objectives.ttft", judgement.timeToFirstToken), ("objectives.tpot", judgement.timePerOutputToken),
      ("objectives.e2e", judgement.endToEnd),
    ])
  }

  private func texts(_ fields: [(String, String?)]) -> [(String, Node.Value)] {
    fields.compactMap { field, text in text.map { (field, .string($0)) } }
  }

  private func numbers(_ fields: [(String, Int?)]) -> [(String, Node.Value)] {
    fields.compactMap { field, number in number.map { (field, .int($0)) } }
  }
}
