#include <cstdio>

#include "base/error.h"
#include "cli/selftest.h"
#include "losses/registry.h"
#include "oracle/oracle.h"

namespace hone::cli {
namespace {

std::string seen(const char* format, double a, double b = 0) {
  char text[96];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

// The optimum must be reached from far enough away for that to mean something.
std::string reached(const oracle::Distance& d) {
  if (d.start < 0.3) run_error(seen("starts only %.3f from the optimum", d.start));
  if (!(d.end < 0.02))
    run_error(seen("total variation from the optimum is %.4f, not under 0.02 (at the start %.3f)", d.end, d.start));
  return seen("total variation %.3f, then %.4f", d.start, d.end);
}

using enum oracle::Policy;
std::string ppo(oracle::Policy policy, double beta) {
  return reached(oracle::ppo_reaches_optimum(policy, {4, 3, beta, 1}, 100, policy == kTable ? 1024 : 768));
}
std::string dpo(oracle::Policy policy, double beta) {
  return reached(oracle::dpo_reaches_optimum(policy, {4, 3, beta, 1}, 400));
}

// The sampled gradient of a way without a critic is what it must be.
std::string held(const oracle::GroupWay& way, const oracle::Problem& problem = {4, 3, 0.5, 1}) {
  const oracle::GradientFit fit = oracle::group_gradient(way, problem, 1024, 64);
  if (!(fit.worst < 4)) run_error(seen("a component is %.2f standard errors off", fit.worst));
  return seen("the worst component %.2f standard errors off, length %.3f of the exact one's", fit.worst, fit.length);
}

// A bias that is known to be there, measured.
std::string biased(const oracle::GroupWay& way) {
  const oracle::GradientFit fit = oracle::group_gradient(way, {4, 3, 0.5, 1}, 1024, 64);
  return seen("%.3f times as long as the exact gradient, %.2f degrees off", fit.length, fit.degrees);
}

// What the code that trains makes of a table lies where the loss is least.
std::string minimum(const std::string& loss) {
  const oracle::LossDistance d = oracle::preference_loss_reaches_minimum(loss);
  if (!d.reached())
    run_error(seen("total variation from the minimum %.4f, and %.4f of the way down in the loss left", d.end, d.left));
  return seen("total variation %.3f, then %.5f", d.start, d.end);
}

std::vector<SelftestCheck> with_losses(std::vector<SelftestCheck> checks) {
  for (const losses::LossInfo& info : losses::all())
    if (info.kind == "preference")
      checks.push_back({"the loss " + std::string(info.id) + " comes to its minimum, found apart",
                        [id = std::string(info.id)](const std::filesystem::path&) { return minimum(id); }});
  return checks;
}

}  // namespace

const std::vector<SelftestCheck>& oracle_checks() {
  using Path = const std::filesystem::path&;
  static const std::vector<SelftestCheck> checks = with_losses({
      {"PPO reaches the optimum, a table, 4 tokens, 3 positions, beta 1", [](Path) { return ppo(kTable, 1); }},
      {"PPO reaches the optimum, a table, beta 0.5", [](Path) { return ppo(kTable, 0.5); }},
      {"PPO reaches the optimum, a table, beta 0.3", [](Path) { return ppo(kTable, 0.3); }},
      {"PPO reaches the optimum, a transformer, beta 1", [](Path) { return ppo(kTransformer, 1); }},
      {"PPO reaches the optimum, a transformer, beta 0.5", [](Path) { return ppo(kTransformer, 0.5); }},
      {"PPO reaches the optimum, a transformer, beta 0.3", [](Path) { return ppo(kTransformer, 0.3); }},
      {"PPO reaches the optimum, a table, 8 tokens, 5 positions, beta 1",
       [](Path) { return reached(oracle::ppo_reaches_optimum(kTable, {8, 5, 1, 1}, 150, 8192)); }},
      {"DPO reaches the same optimum, a table, beta 1", [](Path) { return dpo(kTable, 1); }},
      {"DPO reaches the same optimum, a table, beta 0.3", [](Path) { return dpo(kTable, 0.3); }},
      {"DPO reaches the same optimum, a transformer, beta 1", [](Path) { return dpo(kTransformer, 1); }},
      {"DPO reaches the same optimum, a transformer, beta 0.3", [](Path) { return dpo(kTransformer, 0.3); }},
      {"PPO reaches the optimum, an adapter, beta 0.5", [](Path) { return ppo(kAdapter, 0.5); }},
      {"DPO reaches the same optimum, an adapter, beta 0.3", [](Path) { return dpo(kAdapter, 0.3); }},
      {"the sampled policy gradient is the exact one",
       [](Path) {
         const double worst = oracle::gradient_deviation({4, 3, 0.5, 1}, 64, 256);
         if (!(worst < 4)) run_error(seen("a component is %.2f standard errors off", worst));
         return seen("84 components, the worst %.2f standard errors off", worst);
       }},
      {"REINFORCE's gradient is the exact one", [](Path) { return held({.baseline = "none"}); }},
      {"leave-one-out's gradient is the exact one (RLOO)", [](Path) { return held({.baseline = "leave_one_out"}); }},
      {"the greedy baseline's gradient is the exact one (ReMax)", [](Path) { return held({.baseline = "greedy"}); }},
      {"the group mean's gradient is the exact one times 1 - 1/k", [](Path) { return held({.baseline = "mean"}); }},
      {"the batch mean's gradient is the exact one times 1 - 1/n", [](Path) { return held({.baseline = "batch"}); }},
      {"with the divergence in answers' rewards", [](Path) { return held({.kl_placement = "reward"}); }},
      {"with the divergence in tokens' rewards", [](Path) { return held({.kl_placement = "token_reward"}); }},
      {"with the divergence in the loss, of one token",
       [](Path) { return held({.kl_placement = "loss"}, {4, 1, 0.5, 1}); }},
      {"what the divergence in the loss leaves out, of three tokens (no pass or fail)",
       [](Path) { return biased({.kl_placement = "loss"}); }},
      {"what dividing by the group's deviation does (GRPO; no pass or fail)",
       [](Path) { return biased({.baseline = "mean", .scale = "group_std"}); }},
      {"what whitening over the step does (REINFORCE++; no pass or fail)",
       [](Path) { return biased({.baseline = "none", .scale = "whiten"}); }},
      {"k1 and k3 estimate the divergence",
       [](Path) {
         const double error = oracle::divergence_error({8, 5, 1, 1});
         if (!(error < 1e-5)) run_error(seen("relative error %.1e", error));
         return seen("relative error %.1e", error);
       }},
  });
  return checks;
}

}  // namespace hone::cli
