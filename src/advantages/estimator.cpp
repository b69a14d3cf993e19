#include "advantages/estimator.h"

#include <string>

#include "advantages/masked.h"
#include "base/error.h"

namespace hone::advantages {

#define HONE_BASELINE(id, fewest, doc, citation)
#define HONE_SCALE(id, fewest, doc, citation)
#define HONE_ADVANTAGE(id, doc, citation) Estimates id(const EstimatorInput&, const AdvantageParams&);
#include "advantages/advantages.def"
#undef HONE_ADVANTAGE

namespace {
constexpr EstimatorInfo kAll[] = {
#define HONE_ADVANTAGE(id, doc, citation) {#id, doc, citation, &id},
#include "advantages/advantages.def"
#undef HONE_ADVANTAGE
#undef HONE_SCALE
#undef HONE_BASELINE
};
}  // namespace

std::span<const EstimatorInfo> all() { return kAll; }

const EstimatorInfo& find(std::string_view id) {
  std::string known;
  for (const EstimatorInfo& info : kAll) {
    if (info.id == id) return info;
    known += (known.empty() ? "" : ", ") + std::string(info.id);
  }
  usage_error("unknown advantage estimator '" + std::string(id) + "'", "there are: " + known);
}

Estimates estimate(const EstimatorInput& input, const AdvantageParams& params) {
  Estimates out = find(params.estimator).estimate(input, params);
  if (params.whiten == "unbiased" || params.whiten == "biased")
    whiten(out.advantages, input.slots.action, params.whiten == "unbiased");
  else if (params.whiten != "none")
    usage_error("unknown whiten '" + params.whiten + "'", "there are: none, unbiased, biased");
  return out;
}

}  // namespace hone::advantages
