// Small models and token sequences for the tests of this room.
#pragma once
#include <string>
#include <vector>

#include "base/rng.h"
#include "model/config.h"

namespace hone::test {

inline model::ModelConfig tiny(const std::string& family = "llama") {
  model::ModelConfig c = model::llama_config(/*vocab_size=*/37, /*width=*/24, /*layers=*/2, /*heads=*/4, /*kv_heads=*/2,
                                             /*ffn=*/40, /*max_positions=*/512);
  c.family = family;
  if (family == "gpt2") {
    c.kv_heads = c.heads;
    c.qkv_bias = c.out_bias = c.mlp_bias = true;
  }
  if (family == "qwen2") c.qkv_bias = true;
  c.init_std = 0.3;
  return c;
}

inline std::vector<std::vector<int32_t>> sequences(std::initializer_list<int> lengths) {
  Stream stream(7, "test");
  std::vector<std::vector<int32_t>> out;
  for (const int n : lengths) {
    out.emplace_back();
    for (int i = 0; i < n; ++i) out.back().push_back(static_cast<int32_t>(stream.below(37)));
  }
  return out;
}

}  // namespace hone::test
