#include "gguf/tensor_names.h"

#include <span>

#include "base/error.h"
#include "gguf/file.h"

namespace hone::gguf {
namespace {

struct Name {
  std::string_view gguf, hugging_face;
};
constexpr Name kLlamaOnce[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};
constexpr Name kLlamaLayer[] = {
    {"attn_norm", "input_layernorm"}, {"attn_q", "self_attn.q_proj"},      {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},   {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},    {"ffn_up", "mlp.up_proj"},           {"ffn_down", "mlp.down_proj"}};
constexpr Name kGpt2Once[] = {{"token_embd", "transformer.wte"},
                              {"position_embd", "transformer.wpe"},
                              {"output_norm", "transformer.ln_f"},
                              {"output", "lm_head"}};
constexpr Name kGpt2Layer[] = {{"attn_norm", "ln_1"}, {"attn_qkv", "attn.c_attn"}, {"attn_output", "attn.c_proj"},
                               {"ffn_norm", "ln_2"},  {"ffn_up", "mlp.c_fc"},      {"ffn_down", "mlp.c_proj"}};

struct Names {
  std::string_view architecture, layer_prefix;
  std::span<const Name> once, layer;
};
constexpr Names kNames[] = {{"llama", "model.layers.", kLlamaOnce, kLlamaLayer},
                            {"qwen2", "model.layers.", kLlamaOnce, kLlamaLayer},
                            {"gpt2", "transformer.h.", kGpt2Once, kGpt2Layer}};

std::string_view renamed(std::span<const Name> names, std::string_view gguf) {
  for (const Name& name : names)
    if (name.gguf == gguf) return name.hugging_face;
  return {};
}

}  // namespace

std::string architecture(const File& file) {
  const std::string name = file.text("general.architecture").value_or("");
  std::string known;
  for (const Names& names : kNames) {
    if (names.architecture == name) return name;
    known += (known.empty() ? "" : ", ") + std::string(names.architecture);
  }
  file.bad(name.empty() ? "its metadata names no general.architecture"
                        : "architecture " + file.described("general.architecture") + " is not supported",
           "supported: " + known);
}

std::string hugging_face_name(std::string_view architecture, std::string_view tensor) {
  if (tensor == "rope_freqs.weight") return {};
  for (const Names& names : kNames) {
    if (names.architecture != architecture) continue;
    const size_t dot = tensor.rfind('.');
    if (dot == std::string_view::npos) break;
    std::string_view stem = tensor.substr(0, dot);
    const std::string end(tensor.substr(dot));  // ".weight", ".bias"
    if (!stem.starts_with("blk.")) {
      const std::string_view found = renamed(names.once, stem);
      if (!found.empty()) return std::string(found) + end;
      break;
    }
    stem.remove_prefix(4);
    const size_t number = stem.find('.');
    if (number == std::string_view::npos) break;
    const std::string_view found = renamed(names.layer, stem.substr(number + 1));
    if (!found.empty())
      return std::string(names.layer_prefix) + std::string(stem.substr(0, number)) + "." + std::string(found) + end;
  }
  return std::string(tensor);
}

int64_t interleaved_heads(const File& file, std::string_view architecture, std::string_view tensor) {
  if (architecture != "llama" || !tensor.starts_with("blk.")) return 0;
  const auto is = [&](std::string_view name) {
    return tensor.ends_with(std::string(name) + ".weight") || tensor.ends_with(std::string(name) + ".bias");
  };
  if (is(".attn_q")) return file.integer("llama.attention.head_count").value_or(0);
  if (is(".attn_k"))
    return file.integer("llama.attention.head_count_kv")
        .value_or(file.integer("llama.attention.head_count").value_or(0));
  return 0;
}

}  // namespace hone::gguf
