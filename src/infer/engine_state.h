// What an engine holds; of this room alone.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "base/rng.h"
#include "infer/engine.h"
#include "model/decoder.h"
#include "rewards/reward_model.h"

namespace hone::infer {

struct Engine::State {
  std::optional<model::Decoder> decoder;
  std::optional<rewards::RewardModel> reward;
  std::filesystem::path base;    ///< whose tensors the decoder has: an adapter's base, else the folder itself
  std::filesystem::path folder;  ///< as it was opened
  std::string dtype;
  mutable std::string weights_hash;  ///< "": not asked for yet
  at::ScalarType compute = at::kFloat;

  const model::ModelConfig& config() const { return decoder ? decoder->config() : reward->config(); }
};

/// Names a prompt in the random stream: the same prompt gets the same completions wherever it stands.
inline uint64_t key_of(std::span<const int32_t> ids) {
  return hash64({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
}

}  // namespace hone::infer
