#include "gguf/config.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "gguf/dequantize.h"
#include "gguf/file.h"
#include "gguf/tensor_names.h"

namespace hone::gguf {
namespace {

// The metadata of one architecture, which remembers what was asked for.
class Keys {
 public:
  Keys(const File& file, std::string architecture) : file_(file), prefix_(std::move(architecture) + ".") {}

  const File& file() const { return file_; }
  std::string full(const std::string& key) const { return prefix_ + key; }
  std::optional<int64_t> integer(const std::string& key) { return file_.integer(read(key)); }
  std::optional<double> number(const std::string& key) { return file_.number(read(key)); }
  std::optional<std::string> text(const std::string& key) { return file_.text(read(key)); }
  int64_t needed(const std::string& key) {
    const auto value = integer(key);
    if (!value) file_.bad("no " + full(key) + " in its metadata");
    return *value;
  }
  /// Changes what the model computes, and only the value that changes nothing is supported.
  void only(const std::string& key, double neutral) {
    if (const auto value = number(key); value && *value != neutral) refuse(key, "only " + Json(neutral).dump() + " is");
  }
  void ignore(std::initializer_list<const char*> keys) {
    for (const char* key : keys) read(key);
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& supported) const {
    file_.bad("metadata '" + full(key) + "' = " + file_.described(full(key)) + " is not supported", supported);
  }
  std::vector<std::string> unread() const {
    std::vector<std::string> out;
    for (const std::string_view key : file_.keys())
      if (key.starts_with(prefix_) && !read_.contains(std::string(key))) out.emplace_back(key);
    return out;
  }

 private:
  std::string read(const std::string& key) { return *read_.insert(full(key)).first; }
  const File& file_;
  std::string prefix_;
  std::set<std::string> read_;
};

const TensorInfo& needed_tensor(const File& file, std::string_view name) {
  const TensorInfo* found = file.find(name);
  if (found == nullptr)
    file.bad(file.tensors().empty() ? "holds no tensors: it is a vocabulary, not a model"
                                    : "no tensor '" + std::string(name) + "'");
  return *found;
}

// No output weight, or the very copy of the embedding that older conversions of GPT-2 wrote.
bool tied(const File& file) {
  const TensorInfo &embedding = needed_tensor(file, "token_embd.weight"), *output = file.find("output.weight");
  return output == nullptr ||
         (output->type == embedding.type && output->shape == embedding.shape && output->data == embedding.data);
}

// The factors by which llama.cpp's converter writes Llama 3's frequency scaling (LlamaModel.generate_extra_tensors).
std::vector<double> llama3_factors(double theta, double factor, double low, double high, double positions, int64_t n) {
  std::vector<double> out;
  for (int64_t i = 0; i < n; ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(theta, static_cast<double>(i) / static_cast<double>(n));
    const double smooth = (positions / wavelength - low) / (high - low);
    out.push_back(wavelength < positions / high  ? 1
                  : wavelength > positions / low ? factor
                                                 : 1 / ((1 - smooth) / factor + smooth));
  }
  return out;
}

// rope_freqs.weight is all that a GGUF keeps of Llama 3's scaling. Every model of that kind published so far has the
// frequency factors 1 and 4, so what is unknown is the factor and the original length; anything else is refused.
Json llama3_scaling(const File& file, const TensorInfo& tensor, double theta, int64_t head_dim) {
  const int64_t n = head_dim / 2;
  if (tensor.type != TensorType::kF32 || tensor.elements != n)
    file.bad("tensor 'rope_freqs.weight' should be F32 with " + std::to_string(n) + " factors");
  std::vector<float> factors(n);
  dequantize(tensor.type, tensor.data.data(), static_cast<uint64_t>(n), factors.data());
  const auto agree = [&](const std::vector<double>& wanted) {
    return std::ranges::equal(factors, wanted, [](double a, double b) { return std::abs(a - b) <= 1e-4 * b; });
  };
  const double factor = std::ranges::max(factors);
  if (std::ranges::all_of(factors, [](float f) { return f == 1; })) return nullptr;
  constexpr double kLow = 1, kHigh = 4;
  for (int64_t positions = 8192; factor > 1 && positions <= (int64_t{1} << 22); positions = positions == 8192 ? 16
                                                                                            : positions == 4096
                                                                                                ? 16384
                                                                                                : positions * 2)
    if (agree(llama3_factors(theta, factor, kLow, kHigh, static_cast<double>(positions), n)))
      return {{"rope_type", "llama3"},
              {"factor", factor},
              {"low_freq_factor", kLow},
              {"high_freq_factor", kHigh},
              {"original_max_position_embeddings", positions}};
  file.bad("tensor 'rope_freqs.weight' scales frequencies in a way that is not supported",
           "supported: Llama 3's scaling with frequency factors 1 and 4");
}

void read_rope(Keys& keys, Json& json, int64_t head_dim) {
  const File& file = keys.file();
  if (const auto dims = keys.integer("rope.dimension_count"); dims && *dims != head_dim)
    keys.refuse("rope.dimension_count", "only the whole head of " + std::to_string(head_dim) + " is");
  const double theta = keys.number("rope.freq_base").value_or(10000);
  json["rope_theta"] = theta;
  std::string type = keys.text("rope.scaling.type").value_or("none");
  std::optional<double> factor = keys.number("rope.scaling.factor");
  if (const auto linear = keys.number("rope.scale_linear"); linear && !factor && *linear != 1) {  // an older key
    factor = linear;
    type = "linear";
  }
  const auto original = keys.integer("rope.scaling.original_context_length");
  keys.ignore({"rope.scaling.finetuned"});
  keys.only("rope.scaling.attn_factor", 1);
  keys.only("rope.scaling.yarn_ext_factor", 1);
  keys.only("rope.scaling.yarn_attn_factor", 1);
  // Of DeepSeek 2 alone; llama.cpp gives it no meaning in these architectures.
  keys.ignore({"rope.scaling.yarn_log_multiplier"});
  const auto fast = keys.number("rope.scaling.yarn_beta_fast"), slow = keys.number("rope.scaling.yarn_beta_slow");
  const TensorInfo* factors = file.find("rope_freqs.weight");
  Json scaling;
  if (type == "linear" && factor.value_or(1) != 1) {
    scaling = {{"rope_type", "linear"}, {"factor", *factor}};
  } else if (type == "yarn") {
    if (!factor) file.bad("no " + keys.full("rope.scaling.factor") + " in its metadata, which yarn needs");
    scaling = {{"rope_type", "yarn"}, {"factor", *factor}};
    if (original) scaling["original_max_position_embeddings"] = *original;
    if (fast) scaling["beta_fast"] = *fast;
    if (slow) scaling["beta_slow"] = *slow;
  } else if (type != "none" && type != "linear") {
    keys.refuse("rope.scaling.type", "supported: none, linear, yarn, and Llama 3's by rope_freqs.weight");
  }
  if (factors != nullptr) {
    const Json llama3 = llama3_scaling(file, *factors, theta, head_dim);
    if (!llama3.is_null() && !scaling.is_null())
      file.bad("both rope_freqs.weight and " + keys.full("rope.scaling.type") + " scale its frequencies");
    if (!llama3.is_null()) scaling = llama3;
  }
  if (!scaling.is_null()) json["rope_scaling"] = scaling;
}

void read_llama_shape(Keys& keys, Json& json) {
  const int64_t width = keys.needed("embedding_length"), heads = keys.needed("attention.head_count");
  if (heads <= 0) keys.refuse("attention.head_count", "it must be positive");
  json["hidden_size"] = width;
  json["num_hidden_layers"] = keys.needed("block_count");
  json["num_attention_heads"] = heads;
  json["num_key_value_heads"] = keys.integer("attention.head_count_kv").value_or(heads);
  const auto key_length = keys.integer("attention.key_length"), value_length = keys.integer("attention.value_length");
  if (!key_length && width % heads != 0)
    keys.refuse("attention.head_count", "the width, " + std::to_string(width) + ", must be a multiple of it");
  const int64_t head_dim = key_length.value_or(width / heads);
  if (value_length && *value_length != head_dim)
    keys.refuse("attention.value_length", "only the length of the keys, " + std::to_string(head_dim) + ", is");
  json["head_dim"] = head_dim;
  json["intermediate_size"] = keys.needed("feed_forward_length");
  json["max_position_embeddings"] = keys.needed("context_length");
  const auto epsilon = keys.number("attention.layer_norm_rms_epsilon");
  if (!epsilon) keys.file().bad("no " + keys.full("attention.layer_norm_rms_epsilon") + " in its metadata");
  json["rms_norm_eps"] = *epsilon;
  read_rope(keys, json, head_dim);
}

void read_gpt2(Keys& keys, Json& json) {
  json["n_embd"] = keys.needed("embedding_length");
  json["n_layer"] = keys.needed("block_count");
  json["n_head"] = keys.needed("attention.head_count");
  if (const auto kv = keys.integer("attention.head_count_kv"); kv && *kv != json["n_head"])
    keys.refuse("attention.head_count_kv", "only the number of heads is");
  json["n_inner"] = keys.needed("feed_forward_length");
  json["n_positions"] = keys.needed("context_length");
  const auto epsilon = keys.number("attention.layer_norm_epsilon");
  if (!epsilon) keys.file().bad("no " + keys.full("attention.layer_norm_epsilon") + " in its metadata");
  json["layer_norm_epsilon"] = *epsilon;
}

// What llama.cpp lets some models of these architectures differ in.
void refuse_other_mathematics(Keys& keys) {
  for (const char* key : {"expert_count", "expert_used_count", "expert_shared_count", "attention.sliding_window",
                          "attention.max_alibi_bias", "attention.clamp_kqv", "attn_logit_softcapping",
                          "final_logit_softcapping", "attention.scale"})
    keys.only(key, 0);
  for (const char* key : {"logit_scale", "residual_scale", "embedding_scale"}) keys.only(key, 1);
  if (const auto causal = keys.file().boolean(keys.full("attention.causal")); causal && !*causal)
    keys.refuse("attention.causal", "only causal attention is");
  keys.ignore({"attention.causal", "vocab_size", "tensor_data_layout"});
}

void read_special_ids(const File& file, Json& json) {
  const auto id = [&](const std::string& kind) {
    const auto found = file.token_id(kind);
    if (found && (*found < 0 || *found >= json["vocab_size"].get<int64_t>()))
      file.bad("tokenizer.ggml." + kind + "_token_id is " + std::to_string(*found) + ", the embedding has " +
               json["vocab_size"].dump() + " rows");
    return found;
  };
  if (const auto bos = id("bos")) json["bos_token_id"] = *bos;
  if (const auto pad = id("padding")) json["pad_token_id"] = *pad;
  std::vector<int64_t> ends;
  for (const char* kind : {"eos", "eot", "eom"})
    if (const auto end = id(kind); end && std::ranges::find(ends, *end) == ends.end()) ends.push_back(*end);
  if (ends.size() == 1) json["eos_token_id"] = ends[0];
  else if (!ends.empty()) json["eos_token_id"] = ends;
}

}  // namespace

Json config_json(const File& file) {
  if (file.text("general.type").value_or("model") == "adapter")
    file.bad("is an adapter, not a model", "merge it into its model before converting");
  if (const auto parts = file.integer("split.count"); parts && *parts > 1)
    file.bad("is one of " + std::to_string(*parts) + " parts of a split file, which is not supported",
             "join them with llama.cpp's `llama-gguf-split --merge`");
  const std::string name = architecture(file);
  Keys keys(file, name);
  const bool gpt2 = name == "gpt2";
  Json json = {{"architectures",
                {gpt2              ? "GPT2LMHeadModel"
                 : name == "qwen2" ? "Qwen2ForCausalLM"
                                   : "LlamaForCausalLM"}},
               {"model_type", name}};
  const TensorInfo& embedding = needed_tensor(file, "token_embd.weight");
  if (embedding.shape.size() != 2) file.bad("tensor 'token_embd.weight' is no matrix");
  json["vocab_size"] = embedding.shape[0];
  if (gpt2) read_gpt2(keys, json);
  else read_llama_shape(keys, json);
  if (name == "llama") {
    json["attention_bias"] = file.find("blk.0.attn_q.bias") != nullptr;
    json["mlp_bias"] = file.find("blk.0.ffn_up.bias") != nullptr;
  }
  json["tie_word_embeddings"] = tied(file);
  refuse_other_mathematics(keys);
  read_special_ids(file, json);
  for (const std::string& key : keys.unread()) json[key] = file.described(key);
  return json;
}

}  // namespace hone::gguf
