import CostModels
import Quantities

/// Spells a kernel table as a calibration file has it.
struct KernelText {
  let kernels: KernelTable

  var lines: [String] {
    ["kernels:", "  products:"] + kernels.products.flatMap(product) + ["  rows:"] + kernels.rowWork.flatMap(rowWork)
      + [kernels.decodeAttention.map(decode), kernels.prefillAttention.map(prefill)].compactMap(\.self)
  }

  private func product(_ product: KernelTable.Product) -> [String] {
    let head = "    - {weights: \(product.weights.rawValue), start: \(time(product.start)), "
    let ends = "input: \(time(product.input)), output: \(time(product.output)), times: ["
    let points = zip(product.rows, product.times).map { rows, weight in
      "        {rows: \(roundedText(rows, significantDigits: 6)), weight: \(time(weight))}"
    }
    return [head + ends, points.joined(separator: ",\n"), "      ]}"]
  }

  private func rowWork(_ work: KernelTable.RowWork) -> [String] {
    let points = zip(work.bytes, work.times).map { bytes, seconds in
      "        {bytes: \(roundedText(bytes, significantDigits: 6)) B, time: \(time(seconds))}"
    }
    return ["    - {operator: \(work.name), times: [", points.joined(separator: ",\n"), "      ]}"]
  }

  private func decode(_ attention: KernelTable.DecodeAttention) -> String {
    "  attention_decode: {start: \(time(attention.start)), pair: \(time(attention.pair)), read: \(time(attention.read)), "
      + "load: \(time(attention.load)), flop: \(time(attention.flop))}"
  }

  private func prefill(_ attention: KernelTable.PrefillAttention) -> String {
    "  attention_prefill: {tile_rows: \(roundedText(attention.tileRows, significantDigits: 6)), "
      + "start: \(time(attention.start)), tile: \(time(attention.tile)), flop: \(time(attention.flop))}"
  }

  /// Four digits; what is below a femtosecond is nothing.
  private func time(_ seconds: Double) -> String {
    if seconds < 1e-15 { return "0 s" }
    let (scale, unit) = seconds < 1e-10 ? (1e12, "ps") : seconds < 1e-7 ? (1e9, "ns") : (1e6, "us")
    return roundedText(scale * seconds, significantDigits: 4) + " " + unit
  }
}
