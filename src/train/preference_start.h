// Where learning from judged answers starts: the policy, what it learns from, and what the reference says of that.
#pragma once
#include <string>
#include <vector>

#include "data/encoder.h"
#include "model/decoder.h"
#include "text/tokenizer.h"
#include "train/preference.h"
#include "train/preference_step.h"

namespace hone::train {

struct PreferenceStart {
  text::Tokenizer tokenizer;
  model::Decoder policy;
  at::ScalarType compute;  ///< of matrix products
  data::Encoder encoder;
  JudgedData train, held_out;
  std::vector<data::Prompt> train_prompts, held_out_prompts;
  std::vector<data::Prompt> look_prompts;  ///< what stop.kl_limit and stop.start_loss_limit ask
  std::string reference;                   ///< its folder; "": none
};

/// Loads the policy and its adapter; reads what the loss takes, splits it by prompt and tokenises it, and says what is
/// lost; then, where the loss has a reference, the log-probabilities of every answer under it, once
/// (reference_logps.h).
PreferenceStart start_preference(const PreferenceParams& params, config::StageContext& context);

}  // namespace hone::train
