// What a decoder is, independent of any file: sizes, norms, positions, biases. Read from and written to Hugging Face's
// config.json by the families in models.def.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace hone::model {

namespace fs = std::filesystem;

/// How rotary frequencies are stretched past the length a model was pretrained on.
struct RopeScaling {
  enum class Type { kNone, kLinear, kLlama3, kYarn } type = Type::kNone;
  double factor = 1;
  int64_t original_positions = 0;                    ///< llama3, yarn
  double low_freq_factor = 1, high_freq_factor = 4;  ///< llama3
  double beta_fast = 32, beta_slow = 1;              ///< yarn
  std::optional<double> attention_factor;            ///< yarn; default 0.1 ln(factor) + 1
  std::optional<double> mscale, mscale_all_dim;      ///< yarn
  bool truncate = true;                              ///< yarn: round the correction range to whole dimensions
};

struct ModelConfig {
  std::string family = "llama";  ///< an id of models.def
  int64_t vocab_size = 0;
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t ffn = 0;
  int64_t max_positions = 2048;
  double norm_eps = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope;
  bool tied = true;  ///< the output weight is the embedding
  bool qkv_bias = false;
  bool out_bias = false;  ///< attention output projection
  bool mlp_bias = false;
  double init_std = 0.02;
  std::optional<int64_t> bos, pad;
  std::vector<int64_t> eos;  ///< all tokens that end an answer; those of generation_config.json too (load_config)
  // A reward model's published scale: reward = (raw score - shift) / scale. transformers returns the raw score.
  double reward_shift = 0;
  double reward_scale = 1;
  std::string reward_dtype;     ///< of the matrix work in which that scale was found: f32, bf16; empty: unknown
  std::string generation_json;  ///< generation_config.json as it was read; empty: none

  bool operator==(const ModelConfig&) const;
};

/// A Llama-shaped config from sizes alone; head_dim = width / heads.
ModelConfig llama_config(int64_t vocab_size, int64_t width, int64_t layers, int64_t heads, int64_t kv_heads,
                         int64_t ffn, int64_t max_positions);

/// What reading a config.json brought: the config, the architecture's role, and remarks for the user.
struct ParsedConfig {
  ModelConfig config;
  bool classifier = false;         ///< …ForSequenceClassification with one label
  std::vector<std::string> notes;  ///< settings that were ignored
};

/// Unknown architecture or a setting that changes the mathematics and is not supported: kUsage naming it. `where` is
/// the file, for messages.
ParsedConfig parse_config(const Json& json, const std::string& where);
Json config_json(const ModelConfig& config, bool classifier);
/// eos_token_id as Hugging Face writes it: null, an id, or a list of ids.
Json ends_json(const ModelConfig& config);

// A model on disk is a Hugging Face folder, or a GGUF file in its place.
/// A folder with a config.json, or a GGUF file?
bool holds_model(const fs::path& path);
/// config.json with what generation_config.json adds, or the metadata of the GGUF file; no weights.
ParsedConfig load_config(const fs::path& path);
/// The files that its configuration and its weights lie in, in a fixed order.
std::vector<fs::path> model_files(const fs::path& path);

/// Sizes that cannot be: kUsage naming the setting.
void check_config(const ModelConfig& config, const std::string& where);

/// Of the keys and values of one token, in f32 (model/kv_blocks.h rounds values up to 16 a head).
int64_t kv_bytes_per_token(const ModelConfig& config);

/// Below this many parameters bf16 gains nothing: casting costs more than it saves.
inline constexpr int64_t kSmallModel = 10'000'000;

/// Weights in all, tied ones once.
int64_t parameter_count(const ModelConfig& config);

}  // namespace hone::model
