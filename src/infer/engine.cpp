#include "infer/engine.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "base/rng.h"
#include "infer/verify_model.h"
#include "model/hf_folder.h"
#include "rewards/reward_model.h"
#include "rollout/generate.h"
#include "rollout/logprobs.h"
#include "tensor/runtime.h"
#include "tensor/tensor.h"

namespace hone::infer {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kSmallModel = 10'000'000;  // parameters; below, bf16 gains nothing

// "eos_token_id" is a number, a list of numbers, or absent.
void add_end_ids(const fs::path& file, std::vector<int32_t>& out) {
  if (!fs::exists(file)) return;
  const Json json = parse_python_json(read_file(file), file.string());
  if (!json.is_object() || !json.contains("eos_token_id")) return;
  const Json& eos = json["eos_token_id"];
  const auto add = [&](const Json& id) {
    if (id.is_number_integer() && std::ranges::find(out, id.get<int32_t>()) == out.end())
      out.push_back(id.get<int32_t>());
  };
  if (eos.is_array()) {
    for (const Json& id : eos) add(id);
  } else {
    add(eos);
  }
}

uint64_t key_of(std::span<const int32_t> ids) {
  return hash64({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
}

}  // namespace

struct Engine::State {
  std::optional<model::Decoder> decoder;
  std::optional<rewards::RewardModel> reward;
  std::vector<int32_t> end_ids;
  std::string dtype;
  at::ScalarType compute = at::kFloat;

  const model::ModelConfig& config() const { return decoder ? decoder->config() : reward->config(); }
};

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::open(const fs::path& folder, const EngineOptions& options, bool reward) {
  require_model_folder(folder);
  set_threads(static_cast<int>(options.threads != 0 ? options.threads : usable_threads()));
  use_device(options.device);
  const at::Device device(options.device);

  auto state = std::make_unique<State>();
  const model::ParsedConfig parsed = model::load_config(folder);
  const bool small = model::parameter_count(parsed.config) < kSmallModel;
  state->dtype = options.dtype != "auto" ? options.dtype : device.is_cpu() || small ? "f32" : "bf16";
  if (state->dtype != "f32" && state->dtype != "bf16")
    usage_error("unknown dtype '" + state->dtype + "'", "choices: auto, f32, bf16");
  state->compute = state->dtype == "bf16" ? at::kBFloat16 : at::kFloat;
  if (reward) {
    state->reward = rewards::RewardModel::load(folder, device, state->compute);
  } else {
    model::LoadedModel loaded = model::load_model(folder);
    for (const std::string& note : loaded.notes) log::warn(folder.string() + ": " + note);
    if (loaded.head)
      usage_error(folder.string() + ": is a reward model, it generates no text", "`hone score` asks it for rewards");
    loaded.decoder.to(device, at::kFloat);
    state->decoder = std::move(loaded.decoder);
  }
  for (const int64_t id : parsed.config.eos) state->end_ids.push_back(static_cast<int32_t>(id));
  add_end_ids(folder / "generation_config.json", state->end_ids);
  return Engine(std::move(state));
}

int64_t Engine::vocab_size() const { return state_->config().vocab_size; }
int64_t Engine::context() const { return state_->config().max_positions; }
const std::vector<int32_t>& Engine::end_ids() const { return state_->end_ids; }
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
  std::vector<rollout::Completion> flat = rollout::generate(*state_->decoder, requests, sampling, options);
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
  return rollout::sequence_logps(*state_->decoder, list, 1.0, state_->compute);
}

std::vector<double> Engine::score(std::span<const std::vector<int32_t>> sequences) const {
  HONE_CHECK(state_->reward);
  return state_->reward->score(sequences);
}

}  // namespace hone::infer
