import Documents
import Execution
import ModelGraph
import Quantities
import Techniques
import TestSupport
import Testing

@Suite struct CompositionTests {
  private func design(_ model: String = "llama-3-8b") throws -> Design {
    Design(model: try Repository.model(model), plan: Plan(formats: Formats(all: .bf16)))
  }

  private func apply(_ texts: [String], to model: String = "llama-3-8b") throws -> Design {
    var design = try design(model)
    try Techniques.apply(texts.map(Techniques.parse), to: &design)
    return design
  }

  @Test func `names are listed once and every parameter is explained`() {
    let names = Techniques.descriptions.map(\.name)
    #expect(Set(names).count == names.count && names.count >= 30)
    for item in Techniques.descriptions {
      #expect(!item.summary.isEmpty && item.source.count > 20, "\(item.name)")
      for parameter in item.parameters { #expect(!parameter.meaning.isEmpty, "\(item.name) \(parameter.name)") }
    }
  }

  @Test func `the order of techniques does not matter`() throws {
    let some = ["w4a16", "kv-budget:tokens=1024", "kv-share:own=2", "layer-skip:attention=0.25"]
    let one = try apply(some)
    let other = try apply(some.reversed())
    #expect(one.model == other.model && one.plan == other.plan)
  }

  @Test(arguments: [
    (["w4a16", "w8a8"], "how weights lie in memory"),
    (["kv-budget:tokens=9", "kv-select:tokens=9"], "keeps and reads"),
    (["sparse-2-4", "activation-sparsity:active=0.1"], "which weights a step reads"),
    (["ngram:depth=2,acceptance=0.5", "draft-head:depth=2,acceptance=0.5"], "how tokens are drafted"),
    (["w4a16", "w4a16"], "given twice"),
  ])
  func `a saving counted twice is refused with the reason`(pair: [String], reason: String) throws {
    let error = #expect(throws: TechniqueError.self) { try apply(pair) }
    #expect(error?.description.contains(reason) == true)
  }

  @Test(arguments: [
    ("latent-kv:latent=64,rope=16", "mamba-2.8b", "recurrent"),
    ("latent-kv:latent=64,rope=16", "deepseek-v3", "already"),
    ("kv-quant:bits=4", "mamba-2.8b", "keeps no keys"), ("expert-skip:active=1", "llama-3-8b", "no experts"),
    ("expert-skip:active=9", "mixtral-8x7b", "more than the 2"), ("kv-budget:tokens=0", "llama-3-8b", "give tokens"),
    ("to-experts:experts=2,active=3,width=8", "llama-3-8b", "more than the 2"),
    ("kv-share:own=99", "llama-3-8b", "would all keep"), ("draft-head:depth=2", "llama-3-8b", "either acceptance"),
    ("draft-head:depth=2,tokens=4", "llama-3-8b", "from 1 to 3"),
    ("visual-tokens:tokens=9,drop=99/0.5", "llama-3-8b", "beyond"),
    ("visual-tokens:tokens=9,drop=5", "llama-3-8b", "layer/share"), ("layer-skip", "llama-3-8b", "give attention"),
    ("layer-table:table=3*5/10", "llama-3-8b", "do not divide"),
  ])
  func `what does not suit a model is refused with the reason`(text: String, model: String, reason: String) throws {
    let error = #expect(throws: TechniqueError.self) { try apply([text], to: model) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [
    ("w4a61", "did you mean 'w4a16'"), ("w4a16:grup=64", "did you mean 'group'"), ("w4a16:group=x", "whole number"),
    ("kv-quant", "needs bits"), ("eagle-3", "did you mean 'eagle3'"), ("w8a8:format=int9", "one of int8, fp8"),
    ("kv-quant:bits=17", "from 1 to 16"),
  ])
  func `misspelt techniques are answered with the nearest name`(text: String, reason: String) {
    let error = #expect(throws: ChoiceError.self) { try Techniques.parse(text) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func `every published method names a technique with parameters that it has`() throws {
    for method in PublishedMethod.all {
      let description = try #require(method.description, "\(method.name): \(method.text)")
      #expect(!Techniques.descriptions.contains { $0.name == description.name })
    }
    #expect(Set(Techniques.names.map(\.name)).count == Techniques.names.count)
  }

  @Test func `a published method is its technique, and what its source states may be given otherwise`() throws {
    #expect(try Techniques.parse("awq") == Techniques.parse("w4a16:group=128"))
    #expect(
      try Techniques.parse("eagle3:acceptance=0.7,depth=3,verified=3,width=1")
        == Techniques.parse("draft-head:acceptance=0.7,depth=3,verified=3,width=1,vocabulary=32000"))
    #expect(throws: ChoiceError.self) { try Techniques.parse("awq:grp=64") }
  }

  @Test func `a choice is written back with what was given`() throws {
    #expect(try Techniques.text(Techniques.parse("w4a16:group=64,scale=16")) == "w4a16:group=64")
    #expect(try Techniques.text(Techniques.parse("w4a16")) == "w4a16")
  }

  @Test func `a format asked for by itself and a technique that decides it are refused`() throws {
    func reason(_ formats: FormatRequest, _ technique: String) -> String {
      do {
        _ = try Repository.deployment("llama-3-8b", on: "h100-sxm", formats: formats, techniques: [technique])
        return "it runs"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      reason(FormatRequest(weights: .fp8), "w4a16")
        == "w4a16 and --weights both decide how weights lie in memory; leave out one")
    #expect(reason(FormatRequest(kv: .fp8), "kv-quant:bits=4").contains("kv-quant and --kv-format both decide"))
    #expect(reason(FormatRequest(weights: .fp8), "kv-quant:bits=4") == "it runs")
    #expect(reason(FormatRequest(kv: .fp8), "w4a16") == "it runs")
  }
}
