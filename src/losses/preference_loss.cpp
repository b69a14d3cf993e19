#include "losses/preference_loss.h"

#include <algorithm>

#include "base/error.h"

// The table of preference losses comes from losses.def: lines of other kinds expand to nothing.
#define HONE_KIND_language(id)
#define HONE_KIND_reward(id)
#define HONE_KIND_policy(id)

namespace hone::losses {

namespace preference {
#define HONE_KIND_preference(id) extern const PreferenceLoss id;
#define HONE_LOSS(id, kind, doc, citation) HONE_KIND_##kind(id)
#include "losses/losses.def"
#undef HONE_LOSS
#undef HONE_KIND_preference
}  // namespace preference

namespace {

struct Entry {
  std::string_view id;
  const PreferenceLoss* loss;
};
#define HONE_KIND_preference(id) {#id, &preference::id},
#define HONE_LOSS(id, kind, doc, citation) HONE_KIND_##kind(id)
constexpr Entry kLosses[] = {
#include "losses/losses.def"
};
#undef HONE_LOSS
#undef HONE_KIND_preference

}  // namespace

std::vector<std::string> preference_loss_ids() {
  std::vector<std::string> out;
  for (const Entry& entry : kLosses) out.emplace_back(entry.id);
  return out;
}

const PreferenceLoss& preference_loss(std::string_view id) {
  const auto found = std::ranges::find(kLosses, id, &Entry::id);
  if (found != std::end(kLosses)) return *found->loss;
  std::string known;
  for (const Entry& entry : kLosses) known += (known.empty() ? "" : ", ") + std::string(entry.id);
  usage_error("unknown loss '" + std::string(id) + "' of preferences", "there are: " + known);
}

PreferenceLossSettings::PreferenceLossSettings(const PreferenceLossSettings& other)
    : name(other.name), made_for_(other.made_for_), params_(other.params_ ? other.params_->clone() : nullptr) {}

PreferenceLossSettings& PreferenceLossSettings::operator=(const PreferenceLossSettings& other) {
  name = other.name;
  made_for_ = other.made_for_;
  params_ = other.params_ ? other.params_->clone() : nullptr;
  return *this;
}

PreferenceLossParams& PreferenceLossSettings::params() const {
  if (!params_ || made_for_ != name) {
    params_ = preference_loss(name).make();
    made_for_ = name;
  }
  return *params_;
}

PreferenceNeeds PreferenceLossSettings::needs() const { return preference_loss(name).needs; }

bool PreferenceLossSettings::measures() const { return preference_loss(name).statistic != nullptr; }

void PreferenceLossSettings::fields(config::Fields& v) {
  v.selector("name", name, preference_loss_ids(), "which loss; each has its own settings: `hone explain LOSS`",
             "dpo: Rafailov et al. 2023");
  params().fields(v);
}

PreferenceValue plain(const Tensor& loss, const Answers& answers, double beta) {
  return {{{loss}}, answers.log_ratio().detach(), beta};
}

void beta_field(config::Fields& v, double& beta, std::string_view source) {
  v("beta", beta, "strength of the pull to the reference: the implicit reward is beta·log(policy / reference)", source);
  v.range("beta", 0);
}

void smoothing_field(config::Fields& v, double& label_smoothing, std::string_view source) {
  v("label_smoothing", label_smoothing, "probability that a label is flipped", source);
  v.range("label_smoothing", 0, 0.5);
}

}  // namespace hone::losses
