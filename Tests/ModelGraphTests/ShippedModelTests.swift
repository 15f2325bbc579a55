import Testing

@testable import ModelGraph

@Suite("Shipped models")
struct ShippedModelTests {
  @Test("the catalogue is as large as promised")
  func catalogueSize() { #expect(ShippedModel.names.count >= 40) }

  @Test("the parameter count matches the published total within 0.5 %", arguments: ShippedModel.names)
  func parameterCount(name: String) throws {
    let shipped = try ShippedModel(name: name)
    let counted = try shipped.read().parameterCount
    let error = Double(counted - shipped.parameters) / Double(shipped.parameters)
    #expect(abs(error) <= 0.005, "counted \(counted), published \(shipped.parameters): \(error * 100) %")
  }

  /// Publishers differ in whether the token table, which is only looked up, counts as active.
  @Test("active parameters match the published figure within 3 %", arguments: ShippedModel.names)
  func activeParameterCount(name: String) throws {
    let shipped = try ShippedModel(name: name)
    guard let published = shipped.activeParameters else { return }
    let model = try shipped.read()
    let counted = model.activeParameterCount
    let table = model.embedding.tied ? 0 : model.embeddingParameters
    let errors = [counted, counted - table].map { Double($0 - published) / Double(published) }
    #expect(errors.contains { abs($0) <= 0.03 }, "counted \(counted), published \(published): \(errors)")
  }

  @Test("every layer count, width and format is read", arguments: ShippedModel.names)
  func plausible(name: String) throws {
    let model = try ShippedModel(name: name).read()
    #expect(model.decoder.layerCount > 0)
    #expect(model.activeParameterCount <= model.parameterCount)
    #expect([.bf16, .fp16, .fp32].contains(model.publishedFormat))
  }

  @Test("titles and sources are given", arguments: ShippedModel.names)
  func sourced(name: String) throws {
    let shipped = try ShippedModel(name: name)
    #expect(!shipped.title.isEmpty)
    #expect(shipped.sources.keys.sorted() == ["config", "parameters"])
  }

  @Test("names and aliases are unique, compared without case")
  func unique() throws {
    var owners: [String: String] = [:]
    for name in ShippedModel.names {
      for alias in try [name] + ShippedModel(name: name).aliases {
        let key = alias.lowercased()
        #expect(owners[key] == nil, "'\(alias)' names both \(owners[key] ?? "") and \(name)")
        owners[key] = name
      }
    }
  }

  @Test(
    "models of the measured data are known",
    arguments: [
      "BAAI/Aquila-7B", "EleutherAI/gpt-j-6b", "Qwen/Qwen1.5-7B", "bigscience/bloom-7b1", "facebook/opt-6.7b",
      "huggyllama/llama-7b", "meta-llama/Llama-2-70b-hf", "meta-llama/Llama-2-7b-hf", "meta-llama/Meta-Llama-3-70B",
      "meta-llama/Meta-Llama-3-8B", "mistralai/Mistral-7B-v0.1", "Qwen/Qwen3-235B-A22B-FP8",
      "deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3", "meta-llama/Llama-3.1-70B",
      "meta-llama/Llama-3.1-8B-Instruct", "nvidia/DeepSeek-R1-NVFP4", "nvidia/DeepSeek-V3.1-NVFP4",
      "nvidia/Llama-3.1-8B-Instruct-FP8", "nvidia/Qwen3-32B-NVFP4", "openai/gpt-oss-120b", "llama2-70b", "01-ai/Yi-34B",
      "Qwen/Qwen2.5-7B-Instruct", "RedHatAI/Llama-4-Scout-17B-16E-Instruct-FP8-dynamic",
      "meta-llama/Llama-3.1-70B-Instruct", "mistralai/Mistral-Nemo-Instruct-2407",
    ])
  func measured(alias: String) throws {
    let known = try ShippedModel.names.flatMap { try ShippedModel(name: $0).aliases }
    #expect(known.contains(alias))
  }
}
