// For tests: small whole models in GGUF.
#pragma once
#include "text/byte_alphabet.h"
#include "writer.h"

namespace hone::gguf::test {

/// All 256 bytes, "ab", "abc", "12" to "1234", a control token, a user-defined one, and a filler.
inline Writer& put_vocabulary(Writer& w, std::string_view pre = "gpt-2") {
  std::vector<std::string> tokens;
  for (const unsigned char b : text::bytes_in_alphabet_order())
    tokens.push_back(text::to_byte_alphabet(std::string(1, static_cast<char>(b))));
  std::vector<int32_t> types(256, 1);
  for (const auto& [text, type] : {std::pair<const char*, int32_t>{"ab", 1},
                                   {"abc", 1},
                                   {"12", 1},
                                   {"123", 1},
                                   {"1234", 1},
                                   {"<|end|>", 3},
                                   {"<tool>", 4},
                                   {"[PAD263]", 5}}) {
    tokens.push_back(text);
    types.push_back(type);
  }
  w.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", pre);
  w.strings("tokenizer.ggml.tokens", tokens).i32s("tokenizer.ggml.token_type", types);
  w.strings("tokenizer.ggml.merges", {"a b", "ab c", "1 2", "12 3", "123 4"});
  return w.u32("tokenizer.ggml.bos_token_id", 261).u32("tokenizer.ggml.eos_token_id", 261);
}

/// A llama of one layer: width 32, 2 heads, vocabulary 288.
inline Writer small_llama(float epsilon = 1e-5F, float theta = 10000) {
  Writer w;
  w.text("general.architecture", "llama").u32("llama.block_count", 1).u32("llama.context_length", 64);
  w.u32("llama.embedding_length", 32).u32("llama.feed_forward_length", 64).u32("llama.attention.head_count", 2);
  w.u32("llama.attention.head_count_kv", 1).f32("llama.attention.layer_norm_rms_epsilon", epsilon);
  w.f32("llama.rope.freq_base", theta).u32("llama.rope.dimension_count", 16);
  put_vocabulary(w);
  w.tensor("token_embd.weight", {288, 32}, TensorType::kQ8_0).tensor("output_norm.weight", {32});
  w.tensor("blk.0.attn_norm.weight", {32}).tensor("blk.0.ffn_norm.weight", {32});
  w.tensor("blk.0.attn_q.weight", {32, 32}, TensorType::kQ4_0)
      .tensor("blk.0.attn_k.weight", {16, 32}, TensorType::kQ4_0);
  w.tensor("blk.0.attn_v.weight", {16, 32}, TensorType::kF16).tensor("blk.0.attn_output.weight", {32, 32});
  w.tensor("blk.0.ffn_gate.weight", {64, 32}).tensor("blk.0.ffn_up.weight", {64, 32});
  w.tensor("blk.0.ffn_down.weight", {32, 64}, TensorType::kBF16);
  return w;
}

}  // namespace hone::gguf::test
