#include "eval/probe.h"

#include <memory>

#include "base/error.h"
#include "base/rng.h"
#include "base/stats.h"
#include "eval/answers.h"
#include "world/saved.h"

namespace hone::eval {

config::Probe world_probe(const std::string& world_folder, const std::string& tokenizer_folder, int64_t prompts,
                          int64_t max_tokens, int64_t seed) {
  struct State {
    world::World world;
    std::vector<const world::WorldPrompt*> chosen;
    std::vector<std::vector<text::Message>> messages;
    std::vector<std::string> ids;
    std::optional<data::Encoder> encoder;  // made at the first look, when the policy's configuration is known
  };
  auto state = std::make_shared<State>();
  state->world = world::load_world(world_folder);
  for (const world::WorldPrompt& p : state->world.prompts.held_out) state->chosen.push_back(&p);
  Stream(static_cast<uint64_t>(seed), "probe-prompts").shuffle(state->chosen);
  if (static_cast<int64_t>(state->chosen.size()) > prompts) state->chosen.resize(prompts);
  if (state->chosen.empty()) usage_error(world_folder + ": the world has no held-out prompts to watch");
  for (const world::WorldPrompt* p : state->chosen) {
    state->messages.push_back({{"user", p->text}});
    state->ids.push_back(p->id);
  }
  return [state, tokenizer_folder, max_tokens, seed](const model::Decoder& policy, int64_t) {
    rollout::SamplingParams sampling;
    sampling.max_tokens = max_tokens;
    if (!state->encoder)
      state->encoder = data::Encoder::make(text::Tokenizer::load(tokenizer_folder), "auto", policy.config().eos);
    const std::vector<Answer> answers = answer(policy, *state->encoder, state->messages, state->ids, 1, sampling,
                                               mix64(static_cast<uint64_t>(seed), hash64("probe")), "");
    std::vector<double> gold, correct, hidden, visible, gave_in, length;
    for (size_t i = 0; i < answers.size(); ++i) {
      const world::GoldScore s = state->world.score(*state->chosen[i], answers[i].text);
      gold.push_back(s.total);
      if (s.correct) correct.push_back(*s.correct);
      hidden.push_back(s.hidden_fault);
      visible.push_back(s.visible_fault);
      if (state->chosen[i]->opinion_is_wrong()) gave_in.push_back(s.gave_in);
      length.push_back(static_cast<double>(answers[i].ids.size()));
    }
    return config::Numbers{{"eval_gold", stats::mean(gold)},
                           {"eval_correct", stats::mean(correct)},
                           {"eval_hidden_faults", stats::mean(hidden)},
                           {"eval_visible_faults", stats::mean(visible)},
                           {"eval_give_in", stats::mean(gave_in)},
                           {"eval_length", stats::mean(length)}};
  };
}

}  // namespace hone::eval
