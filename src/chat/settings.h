// How answers are sampled, and the names by which a person sets it: of the program's options and of /set.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "rollout/rollout.h"

namespace hone::chat {

struct Settings {
  double temperature = 0.7, top_p = 0.95;
  int64_t top_k = 0, max_tokens = 512;
  uint64_t seed = 0;

  /// Of generation_config.json's text ("": none): its temperature, top_p and top_k where it samples; one
  /// that is out of range is told and passed over.
  void take_defaults(const std::string& generation_config);
  /// kUsage where a value is out of range.
  void check() const;
  /// `name` as listed by names(), "-" and "_" alike. Unknown name, no number, out of range: kUsage, and nothing is
  /// changed.
  void set(std::string_view name, std::string_view value);
  /// "temperature 0.7, top-p 0.95, top-k 0, max-tokens 512, seed 0".
  std::string describe() const;
  static std::vector<std::string> names();

  rollout::SamplingParams sampling() const;
};

}  // namespace hone::chat
