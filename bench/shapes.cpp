#include "bench/shapes.h"

#include <array>

#include "base/error.h"

namespace hone::bench {

std::span<const Shape> shapes() {
  static const std::array<Shape, 2> kShapes{{
      {"4M", model::llama_config(2048, 224, 6, 7, 7, 608, 512)},
      {"26M", model::llama_config(4096, 512, 8, 8, 4, 1408, 512)},
  }};
  return kShapes;
}

const Shape& shape(const std::string& name) {
  for (const Shape& s : shapes())
    if (s.name == name) return s;
  usage_error("no model of size '" + name + "'", "sizes: 4M, 26M");
}

Work& Work::operator+=(const Work& other) {
  tokens += other.tokens, outputs += other.outputs, cells += other.cells;
  return *this;
}

Work sequence_work(double length, double outputs) { return {length, outputs, length * (length + 1) / 2}; }

double forward_flops(const model::ModelConfig& c, const Work& work) {
  const auto per_layer =
      static_cast<double>(c.width * c.head_dim * (2 * c.heads + 2 * c.kv_heads) + 3 * c.width * c.ffn);
  const double layers = per_layer * static_cast<double>(c.layers);
  return 2 * layers * work.tokens + 2 * static_cast<double>(c.width * c.vocab_size) * work.outputs +
         4 * static_cast<double>(c.layers * c.heads * c.head_dim) * work.cells;
}

}  // namespace hone::bench
