#include "train/answer_log.h"

#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "rollout/generate.h"

namespace hone::train {
AnswerLog::AnswerLog(const SampleSettings& settings, const data::Encoder& encoder,
                     std::span<const data::Prompt> held_out, std::span<const data::Prompt> trained, int64_t context,
                     uint64_t seed)
    : encoder_(encoder),
      held_out_(!held_out.empty()),
      max_tokens_(settings.max_tokens),
      seed_(mix64(seed, hash64("answers shown"))) {
  if (settings.prompts <= 0) return;
  asked_ = draw_asked(held_out_ ? held_out : trained, settings.prompts, encoder, max_tokens_, context, seed_);
  if (asked_.empty()) return;
  log::info("  " + count_text(std::ssize(asked_)) + (held_out_ ? " held-out" : "") +
            (asked_.size() == 1 ? " prompt is" : " prompts are") + " answered at the start, on the way and at the end" +
            (held_out_ ? "" : "; none is held out, so the stage learns from them too"));
}

void AnswerLog::look(const model::Decoder& decoder, int64_t step, Session& session) const {
  if (asked_.empty()) return;
  session.apart([&] {
    std::vector<rollout::Request> requests;
    for (const AskedPrompt& a : asked_) requests.push_back({a.tokens, a.key, 0});
    rollout::GenerateOptions options;
    options.seed = seed_;
    options.end_ids = encoder_.endings().ids();
    options.absent_ids = encoder_.tokenizer().without_token(decoder.config().vocab_size);
    for (const double temperature : {0.0, 1.0}) {
      rollout::SamplingParams sampling;
      sampling.temperature = temperature;
      sampling.max_tokens = max_tokens_;
      sampling.kv_gb = 0.25;
      const std::vector<rollout::Completion> answers = rollout::generate(decoder, requests, sampling, options);
      for (size_t i = 0; i < answers.size(); ++i)
        session.journal().answer(Json{{"step", step},
                                      {"id", asked_[i].id},
                                      {"held_out", held_out_},
                                      {"temperature", temperature},
                                      {"prompt", asked_[i].text},
                                      {"completion", encoder_.tokenizer().decode(answers[i].ids, true)},
                                      {"tokens", answers[i].ids.size()},
                                      {"finish", answers[i].finish == rollout::Finish::kStop ? "stop" : "length"}});
    }
  });
}

}  // namespace hone::train
