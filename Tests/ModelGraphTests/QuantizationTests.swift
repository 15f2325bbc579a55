import Documents
import Quantities
import Testing

@testable import ModelGraph

/// `quantization_config` decides what a checkpoint's weights weigh.
@Suite struct QuantizationTests {
  private func read(_ text: String) throws -> Quantization {
    try Quantization.read(JSONDocument.parse(text, file: "config.json"))
  }

  @Test(arguments: [
    (#"{"quant_method": "fp8", "weight_block_size": [128, 128]}"#, Quantization(weights: .fp8, activations: .fp8)),
    (#"{"quant_method": "mxfp4"}"#, Quantization(weights: .mxfp4, expertsOnly: true)),
    (#"{"quant_method": "gptq", "bits": 4, "group_size": 128}"#, Quantization(weights: .int4Group128)),
    (#"{"quant_method": "awq", "bits": 4}"#, Quantization(weights: .int4Group128)),
    (#"{"quant_method": "modelopt", "quant_algo": "NVFP4"}"#, Quantization(weights: .nvfp4, activations: .fp4)),
    (
      #"{"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int"}, "#
        + #""input_activations": {"num_bits": 8, "type": "int"}}}}"#, Quantization(weights: .int8, activations: .int8)
    ),
  ])
  func `each published method is understood`(text: String, expected: Quantization) throws {
    #expect(try read(text) == expected)
  }

  @Test func `an unknown method is refused by name, because it decides the cost`() {
    #expect {
      try read(#"{"quant_method": "gptqq", "bits": 4}"#)
    } throws: { error in
      "\(error)" == "config.json:1: quant_method: found 'gptqq', which is not a quantisation understood here; "
        + "did you mean 'gptq'?"
    }
    #expect(throws: DataError.self) { try read(#"{"quant_method": "gptq", "bits": 3}"#) }
    #expect(throws: DataError.self) { try read(#"{"quant_method": "gptq"}"#) }
  }

  @Test func `a model without the table is not quantised`() throws {
    let text = """
      {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
       "num_attention_heads": 4, "vocab_size": 100}
      """
    let model = try ModelReader.model(from: JSONDocument.parse(text, file: "config.json"), name: "tiny")
    #expect(model.quantization == nil)
  }
}
