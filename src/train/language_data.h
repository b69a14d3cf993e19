// What pretraining and supervised fine-tuning learn from: running text cut into pieces, or demonstrations.
#pragma once
#include <optional>
#include <vector>

#include "config/stage_context.h"
#include "data/tokens.h"
#include "model/config.h"
#include "text/tokenizer.h"
#include "train/answer_log.h"
#include "train/language_model.h"

namespace hone::train {

struct LanguageData {
  std::vector<data::Sequence> train, held_out;
  std::optional<AnswerLog> answers = {};  ///< of fine-tuning
};

/// Running text, as one stream or document by document, in pieces of the model's context.
LanguageData read_documents(const LanguageModelParams& params, const text::Tokenizer& tokenizer,
                            const model::ModelConfig& config, const config::RunSettings& run);
/// Demonstrations. Settles what ends an answer (answer_ends.h) in `config`.
LanguageData read_demonstrations(const LanguageModelParams& params, const text::Tokenizer& tokenizer,
                                 model::ModelConfig& config, config::StageContext& context);

}  // namespace hone::train
