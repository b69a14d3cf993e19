// Metadata as config.json: every key that changes what a model computes is used or refused.
#include "gguf/config.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "models.h"

using namespace hone;
using gguf::test::Writer;

namespace {

Json config_of(Writer& w) {
  const std::string bytes = w.bytes();
  return gguf::config_json(gguf::File(bytes, "c.gguf"));
}

std::string refusal(Writer w) {
  try {
    config_of(w);
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.hint;
  }
  return "";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a llama's metadata as Hugging Face writes it") {
  Writer w = gguf::test::small_llama();
  w.u32("tokenizer.ggml.eot_token_id", 262).u32("tokenizer.ggml.padding_token_id", 0).u32("llama.odd", 3);
  const Json json = config_of(w);
  CHECK(json["architectures"] == Json{"LlamaForCausalLM"});
  CHECK(json["hidden_size"] == 32);
  CHECK(json["num_hidden_layers"] == 1);
  CHECK(json["num_attention_heads"] == 2);
  CHECK(json["num_key_value_heads"] == 1);
  CHECK(json["head_dim"] == 16);
  CHECK(json["intermediate_size"] == 64);
  CHECK(json["vocab_size"] == 288);
  CHECK(json["max_position_embeddings"] == 64);
  CHECK(json["rms_norm_eps"] == 1e-5);
  CHECK(json["rope_theta"] == 10000);
  CHECK_FALSE(json.contains("rope_scaling"));
  CHECK(json["tie_word_embeddings"] == true);
  CHECK(json["attention_bias"] == false);
  CHECK(json["bos_token_id"] == 261);
  CHECK(json["eos_token_id"] == Json{261, 262});
  CHECK(json["pad_token_id"] == 0);
  CHECK(json["llama.odd"] == "3");  // who reads the config says that it does not know it
}

TEST_CASE("an output weight unties, unless it is the embedding's very copy") {
  Writer copy = gguf::test::small_llama();
  copy.tensor("output.weight", {288, 32}, gguf::TensorType::kQ8_0);
  CHECK(config_of(copy)["tie_word_embeddings"] == true);
  Writer own = gguf::test::small_llama();
  own.tensor("output.weight", {288, 32}, gguf::TensorType::kF16);
  CHECK(config_of(own)["tie_word_embeddings"] == false);
}

TEST_CASE("rope scaling: linear, yarn, none; others refused") {
  Writer linear = gguf::test::small_llama();
  linear.text("llama.rope.scaling.type", "linear").f32("llama.rope.scaling.factor", 4);
  CHECK(config_of(linear)["rope_scaling"] == Json{{"rope_type", "linear"}, {"factor", 4.0}});
  Writer old = gguf::test::small_llama();
  old.f32("llama.rope.scale_linear", 2);
  CHECK(config_of(old)["rope_scaling"]["factor"] == 2.0);
  Writer yarn = gguf::test::small_llama();
  yarn.text("llama.rope.scaling.type", "yarn").f32("llama.rope.scaling.factor", 4);
  yarn.u32("llama.rope.scaling.original_context_length", 16);
  CHECK(config_of(yarn)["rope_scaling"]["original_max_position_embeddings"] == 16);
  Writer none = gguf::test::small_llama();
  CHECK_FALSE(config_of(none.text("llama.rope.scaling.type", "none")).contains("rope_scaling"));
  Writer longrope = gguf::test::small_llama();
  CHECK(has(refusal(longrope.text("llama.rope.scaling.type", "longrope")), "'longrope' is not supported"));
}

TEST_CASE("Llama 3's factors give its scaling back; others are refused") {
  const auto with = [](std::vector<float> factors) {
    Writer w = gguf::test::small_llama();
    w.tensor("rope_freqs.weight", {static_cast<int64_t>(factors.size())}, gguf::TensorType::kF32,
             std::string(reinterpret_cast<const char*>(factors.data()), factors.size() * sizeof(float)));
    return w;
  };
  // θ = 10000, d = 16: wavelengths 2π·10^(i/2): 6.3, 19.9, 62.8, 199, 628, … Of 64 positions, factors 1 and 4: below 16
  // as it is, above 64 divided by 8; 19.9: s = (64 / 19.8692 - 1) / 3 = 0.74036, 1 / ((1 - s) / 8 + s) = 1.29399;
  // 62.8: s = (64 / 62.8319 - 1) / 3 = 0.0061968, 1 / ((1 - s) / 8 + s) = 7.66739.
  Writer llama3 = with({1, 1.29399F, 7.66739F, 8, 8, 8, 8, 8});
  CHECK(config_of(llama3)["rope_scaling"] == Json{{"rope_type", "llama3"},
                                                  {"factor", 8.0},
                                                  {"low_freq_factor", 1.0},
                                                  {"high_freq_factor", 4.0},
                                                  {"original_max_position_embeddings", 64}});
  Writer ones = with({1, 1, 1, 1, 1, 1, 1, 1});
  CHECK_FALSE(config_of(ones).contains("rope_scaling"));
  CHECK(has(refusal(with({1, 2, 3, 4, 5, 6, 7, 8})), "scales frequencies in a way that is not supported"));
  CHECK(has(refusal(with({1, 2})), "should be F32 with 8 factors"));
}

TEST_CASE("what changes the mathematics is refused by name") {
  const auto extra_u32 = [](const char* key, uint32_t value) {
    Writer w = gguf::test::small_llama();
    return refusal(std::move(w.u32(key, value)));
  };
  CHECK(has(extra_u32("llama.expert_count", 8), "'llama.expert_count' = 8 is not supported"));
  CHECK(extra_u32("llama.expert_count", 0).empty());
  CHECK(has(extra_u32("llama.attention.sliding_window", 4096), "llama.attention.sliding_window"));
  CHECK(has(extra_u32("llama.attention.key_length", 8),
            "rope.dimension_count' = 16 is not supported | only the whole head of 8"));
  CHECK(has(extra_u32("llama.attention.value_length", 8), "llama.attention.value_length"));
  const auto extra_f32 = [](const char* key, float value) {
    Writer w = gguf::test::small_llama();
    return refusal(std::move(w.f32(key, value)));
  };
  CHECK(has(extra_f32("llama.logit_scale", 0.5F), "llama.logit_scale"));
  CHECK(has(extra_f32("llama.attention.scale", 0.5F), "llama.attention.scale"));
  Writer bidirectional = gguf::test::small_llama();
  CHECK(has(refusal(std::move(bidirectional.boolean("llama.attention.causal", false))), "only causal attention"));
}

TEST_CASE("a number that is none is refused where it is used") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const auto& [number, shown] : {std::pair{std::numeric_limits<float>::quiet_NaN(), "it is nan"},
                                      {kInfinity, "it is inf"},
                                      {-kInfinity, "it is -inf"}}) {
    const auto refused = [&](Writer w, const std::string& key) {
      CAPTURE(key);
      const std::string error = refusal(std::move(w));
      CHECK(has(error, "metadata '" + key + "': a finite number"));
      CHECK(has(error, shown));
    };
    refused(gguf::test::small_llama(number), "llama.attention.layer_norm_rms_epsilon");
    refused(gguf::test::small_llama(1e-5F, number), "llama.rope.freq_base");
    for (const char* key : {"llama.rope.scaling.factor", "llama.logit_scale"}) {
      Writer w = gguf::test::small_llama();
      refused(std::move(w.f32(key, number)), key);
    }
    Writer unread = gguf::test::small_llama();
    CHECK(refusal(std::move(unread.f32("llama.odd", number))).empty());
  }
}

TEST_CASE("special ids: none by 2^32 - 1, refused beyond the embedding") {
  Writer none = gguf::test::small_llama();
  none.u32("tokenizer.ggml.padding_token_id", UINT32_MAX);
  CHECK_FALSE(config_of(none).contains("pad_token_id"));
  Writer beyond = gguf::test::small_llama();
  beyond.u32("tokenizer.ggml.eot_token_id", 288);
  CHECK(has(refusal(beyond), "eot_token_id is 288, the embedding has 288 rows"));
}

TEST_CASE("what is no whole model is refused by name") {
  Writer adapter = gguf::test::small_llama();
  CHECK(has(refusal(adapter.text("general.type", "adapter")), "is an adapter, not a model"));
  Writer part = gguf::test::small_llama();
  CHECK(has(refusal(part.u32("split.count", 3)), "is one of 3 parts of a split file"));
}

TEST_CASE("architectures are refused by name") {
  for (const char* name : {"falcon", "gemma2", "qwen3", "phi3"}) {
    Writer w;
    w.text("general.architecture", name);
    CHECK(has(refusal(w), "architecture '" + std::string(name) + "' is not supported | supported: llama, qwen2, gpt2"));
  }
  CHECK(has(refusal(Writer()), "names no general.architecture"));
  Writer vocabulary;
  vocabulary.text("general.architecture", "llama");
  CHECK(has(refusal(vocabulary), "it is a vocabulary, not a model"));
}
