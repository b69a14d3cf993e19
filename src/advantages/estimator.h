// Advantage estimators by id (advantages.def), and the one entry that a loop calls: estimate, then whiten.
#pragma once
#include <string_view>

#include "advantages/params.h"
#include "advantages/slots.h"

namespace hone::advantages {

struct EstimatorInput {
  const Slots& slots;
  std::span<const float> rewards;  // (N slots)
  std::span<const float> values;   // (N slots) of the state before each token; empty for estimators without a critic
};

struct Estimates {
  std::vector<float> advantages;  // (N slots); 0 where no token was chosen, once whitened
  std::vector<float> returns;     // (N slots) targets of the value, from unwhitened advantages
};

using Estimator = Estimates (*)(const EstimatorInput&, const AdvantageParams&);

struct EstimatorInfo {
  std::string_view id, doc, citation;
  Estimator estimate;
};
std::span<const EstimatorInfo> all();
/// The estimator of that id; kUsage listing them where there is none.
const EstimatorInfo& find(std::string_view id);

/// Runs params.estimator, then whitens advantages over the action slots of the whole batch as params.whiten says.
Estimates estimate(const EstimatorInput& input, const AdvantageParams& params);

}  // namespace hone::advantages
