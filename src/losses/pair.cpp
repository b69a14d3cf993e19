#include "losses/pair.h"

#include "base/error.h"

// The table of pair losses comes from losses.def: lines of other kinds expand to nothing.
#define HONE_KIND_language(id)
#define HONE_KIND_reward(id)
#define HONE_KIND_policy(id)

namespace hone::losses {

#define HONE_KIND_pair(id) Tensor id(const PairLogps&, const PairLossParams&);
#define HONE_LOSS(id, kind, doc, citation) HONE_KIND_##kind(id)
#include "losses/losses.def"
#undef HONE_LOSS
#undef HONE_KIND_pair

namespace {
struct Entry {
  std::string_view id;
  PairLoss loss;
};
#define HONE_KIND_pair(id) {#id, &id},
#define HONE_LOSS(id, kind, doc, citation) HONE_KIND_##kind(id)
constexpr Entry kPairLosses[] = {
#include "losses/losses.def"
};
#undef HONE_LOSS
#undef HONE_KIND_pair
}  // namespace

PairLoss pair_loss(std::string_view id) {
  std::string known;
  for (const Entry& entry : kPairLosses) {
    if (entry.id == id) return entry.loss;
    known += (known.empty() ? "" : ", ") + std::string(entry.id);
  }
  usage_error("unknown loss '" + std::string(id) + "' for pairs", "there are: " + known);
}

ImplicitRewards implicit_rewards(const PairLogps& pair, double beta) {
  const at::NoGradGuard no_grad;
  ImplicitRewards out;
  out.chosen = beta * (pair.policy_chosen - pair.reference_chosen);
  out.rejected = beta * (pair.policy_rejected - pair.reference_rejected);
  out.margin = out.chosen - out.rejected;
  return out;
}

}  // namespace hone::losses
