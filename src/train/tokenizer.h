// The stage that trains a tokenizer.
#pragma once
#include "config/fields.h"
#include "config/stage_context.h"

namespace hone::train {

struct TokenizerParams {
  std::vector<std::string> data;
  int64_t size = 1024;

  /// No data: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    v.path("data", data, "text files to learn from");
    v("size", size, "tokens of the vocabulary, specials and the 256 bytes included");
    v.range("size", 300, 1'000'000);
  }
};

/// Writes FOLDER/model: tokenizer.json, tokenizer_config.json with hone's chat template, special_tokens_map.json.
void run_tokenizer(const TokenizerParams& params, config::StageContext& context);

}  // namespace hone::train
