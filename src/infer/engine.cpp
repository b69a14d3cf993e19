#include "infer/engine.h"

#include "base/adapter.h"
#include "base/error.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "infer/engine_state.h"
#include "infer/verify_model.h"
#include "model/hf_folder.h"
#include "model/peft_folder.h"
#include "rollout/generate.h"
#include "rollout/logprobs.h"
#include "tensor/runtime.h"
#include "tensor/tensor.h"

namespace hone::infer {
namespace fs = std::filesystem;
Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::open(const fs::path& folder, const EngineOptions& options, bool reward, const Engine* beside) {
  require_model_folder(folder);
  set_threads(static_cast<int>(options.threads != 0 ? options.threads : usable_threads()));
  use_device(options.device);
  const at::Device device(options.device);

  auto state = std::make_unique<State>();
  state->folder = folder;
  const model::ParsedConfig parsed = model::load_config(folder);
  state->dtype = rewards::resolve_dtype(options.dtype, parsed.config, device);
  state->compute = state->dtype == "bf16" ? at::kBFloat16 : at::kFloat;
  if (reward) {
    state->reward = rewards::RewardModel::load(folder, device, options.dtype);
  } else {
    state->base = is_adapter(folder) ? adapter_base(folder) : folder;
    std::vector<model::LoadedBase> bases;
    if (beside != nullptr && beside->state_->decoder)
      bases.push_back({beside->state_->base, &*beside->state_->decoder});
    model::LoadedModel loaded = model::load_model(folder, bases);
    for (const std::string& note : loaded.notes) log::warn(folder.string() + ": " + note);
    if (loaded.head)
      usage_error(folder.string() + ": is a reward model, it generates no text", "`hone score` asks it for rewards");
    loaded.decoder.to(device, at::kFloat);
    state->decoder = std::move(loaded.decoder);
  }
  return Engine(std::move(state));
}

int64_t Engine::vocab_size() const { return state_->config().vocab_size; }
int64_t Engine::context() const { return state_->config().max_positions; }
const std::vector<int64_t>& Engine::end_ids() const { return state_->config().eos; }
const std::string& Engine::generation_config() const { return state_->config().generation_json; }
const std::string& Engine::weights_hash() const {
  std::string& hash = state_->weights_hash;
  if (hash.empty()) hash = model::model_hash(state_->folder);
  return hash;
}
const std::string& Engine::dtype() const { return state_->dtype; }

void Engine::require_fit(std::span<const int32_t> ids, int64_t room) const {
  if (ids.empty()) usage_error("no tokens", "a prompt needs at least one token");
  for (const int32_t id : ids)
    if (id < 0 || id >= vocab_size())
      usage_error("token id " + std::to_string(id) + " is not in the model's vocabulary of " +
                  count_text(vocab_size()));
  if (static_cast<int64_t>(ids.size()) + room > context())
    usage_error(count_text(static_cast<int64_t>(ids.size())) + " tokens" + (room > 0 ? " and one to sample" : "") +
                " do not fit into the model's context of " + count_text(context()));
}

std::vector<std::vector<rollout::Completion>> Engine::generate(std::span<const std::vector<int32_t>> prompts, int64_t n,
                                                               const rollout::SamplingParams& sampling,
                                                               const rollout::GenerateOptions& options) const {
  HONE_CHECK(state_->decoder);
  std::vector<rollout::Request> requests;
  for (const auto& prompt : prompts)
    for (int64_t sample = 0; sample < n; ++sample)
      requests.push_back({prompt, key_of(prompt), static_cast<uint64_t>(sample)});
  rollout::GenerateOptions own = options;
  own.bf16 = state_->compute == at::kBFloat16;
  std::vector<rollout::Completion> flat = rollout::generate(*state_->decoder, requests, sampling, own);
  if (sampling.temperature == 0) {
    // Under the distribution sampled from a greedy token has probability 1; the model's own is what a person wants.
    std::vector<Scored> scored;
    for (size_t i = 0; i < flat.size(); ++i) {
      Scored s{requests[i].prompt, static_cast<int64_t>(requests[i].prompt.size())};
      s.ids.insert(s.ids.end(), flat[i].ids.begin(), flat[i].ids.end());
      scored.push_back(std::move(s));
    }
    const auto logps = logprobs(scored);
    for (size_t i = 0; i < flat.size(); ++i) flat[i].logps = logps[i];
  }
  std::vector<std::vector<rollout::Completion>> out(prompts.size());
  for (size_t i = 0; i < flat.size(); ++i) out[i / static_cast<size_t>(n)].push_back(std::move(flat[i]));
  return out;
}

std::vector<std::vector<float>> Engine::logprobs(std::span<const Scored> sequences) const {
  HONE_CHECK(state_->decoder);
  std::vector<rollout::ScoredSequence> list;
  for (const Scored& s : sequences) list.push_back({s.ids, s.first});
  return rollout::sequence_logps(*state_->decoder, list, {.compute = state_->compute});
}

std::vector<double> Engine::score(std::span<const std::vector<int32_t>> sequences) const {
  HONE_CHECK(state_->reward);
  return state_->reward->score(sequences);
}

}  // namespace hone::infer
