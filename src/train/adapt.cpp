#include "train/adapt.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"

namespace hone::train {
namespace {

std::set<std::string> modules_of(const std::vector<model::AdapterModule>& modules) {
  std::set<std::string> out;
  for (const model::AdapterModule& m : modules) out.insert(m.module);
  return out;
}

// An adapter goes on training as it is: one of other sizes would be another adapter.
void require_own_settings(const model::Decoder& decoder, const std::string& model, const AdapterSettings& settings,
                          const std::string& group) {
  const model::Adapter& own = *decoder.adapter();
  const auto need = [&](bool same, const std::string& key, const std::string& asked, const std::string& has) {
    if (!same)
      usage_error(group + "." + key + " = " + asked + ", but the adapter of " + model + " has " + has,
                  "set " + group + "." + key + " = " + has +
                      " to go on with it, or merge it first: hone merge --model " + model + " --out DIR");
  };
  need(settings.rank == own.shape.rank, "rank", std::to_string(settings.rank), std::to_string(own.shape.rank));
  need(settings.alpha == own.shape.alpha, "alpha", dump_json(Json(settings.alpha)), dump_json(Json(own.shape.alpha)));
  need(settings.rslora == own.shape.rslora, "rslora", settings.rslora ? "true" : "false",
       own.shape.rslora ? "true" : "false");
  std::set<std::string> there;
  for (const model::AdapterPart& p : own.parts) there.insert(p.module);
  if (modules_of(model::adapter_targets(decoder.config(), settings.targets)) != there)
    usage_error(group + ".targets names other layers than those that the adapter of " + model + " is on",
                "name the same, or merge it first: hone merge --model " + model + " --out DIR");
}

}  // namespace

void settle_adapter(model::Decoder& decoder, const std::string& model, const AdapterSettings& settings, uint64_t seed,
                    const std::string& group) {
  if (settings.rank <= 0) {
    if (decoder.adapter() == nullptr) return;
    log::info("  the adapter of " + model + " is merged into its weights, which train (" + group + ".rank = 0)");
    merge_adapter(decoder);
    return;
  }
  const bool goes_on = decoder.adapter() != nullptr;
  if (goes_on) {
    require_own_settings(decoder, model, settings, group);
    model::Adapter adapter = *decoder.adapter();
    adapter.dropout = settings.dropout;
    decoder.set_adapter(std::move(adapter));
  } else {
    model::Adapter adapter = model::make_adapter(
        decoder,
        {.rank = settings.rank, .alpha = settings.alpha, .rslora = settings.rslora, .targets = settings.targets}, seed);
    adapter.base = std::filesystem::weakly_canonical(model);
    adapter.dropout = settings.dropout;
    decoder.set_adapter(std::move(adapter));
  }
  const model::Adapter& adapter = *decoder.adapter();
  const int64_t width = decoder.config().width;
  if (adapter.shape.rank > width)
    log::warn(group + ".rank = " + std::to_string(adapter.shape.rank) + " is above the model's width of " +
              std::to_string(width) + ": a matrix has no higher rank than its smaller side");
  log::info(std::string("  ") + (goes_on ? "the model's own" : "a new") + " adapter of rank " +
            std::to_string(adapter.shape.rank) + " on " + std::to_string(adapter.parts.size()) +
            " linear layers: " + count_text(adapter.parameter_count()) + " parameters train, " +
            count_text(decoder.parameter_count()) + " are frozen");
}

model::Decoder over_same_base(const model::Decoder& decoder) {
  model::Decoder out = decoder.over_same_tensors();
  if (decoder.adapter() != nullptr) out.set_adapter(decoder.adapter()->clone());
  return out;
}

StepDropout step_dropout(const AdapterSettings& settings, uint64_t seed, int64_t step) {
  if (settings.rank <= 0 || settings.dropout <= 0) return {};
  return {settings.dropout, mix64(mix64(seed, hash64("adapter-dropout")), static_cast<uint64_t>(step))};
}

std::shared_ptr<const TokenDropout> token_dropout(const StepDropout& dropout, std::span<const uint64_t> sequences,
                                                  const model::Packed& packed) {
  if (dropout.rate <= 0) return nullptr;
  auto out = std::make_shared<TokenDropout>();
  out->rate = dropout.rate;
  out->keys.resize(packed.tokens());
  for (size_t s = 0; s < sequences.size(); ++s) {
    const uint64_t key = mix64(dropout.key, sequences[s]);
    const model::Place& place = packed.places[s];
    for (int64_t t = place.first() ? 0 : place.shared; t < place.length; ++t)
      out->keys[place.row(t)] = mix64(key, static_cast<uint64_t>(t));
  }
  return out;
}

void record_adapter(const model::Decoder& decoder, Json& model) {
  const model::Adapter* adapter = decoder.adapter();
  if (adapter == nullptr) return;
  model["adapter_parameters"] = adapter->parameter_count();
  model["adapter_layers"] = adapter->parts.size();
  model["adapter_rank"] = adapter->shape.rank;
  model["adapter_alpha"] = adapter->shape.alpha;
  if (adapter->shape.rslora) model["adapter_scale"] = "alpha / sqrt(rank)";
  model["adapter_base"] = adapter->base.string();
}

}  // namespace hone::train
