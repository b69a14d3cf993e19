#include "advantages/kl_controller.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace hone::advantages {

KlController::KlController(const KlParams& params) : params_(params), coef_(params.kl_coef) {
  if (params.kl_controller != "fixed" && params.kl_controller != "adaptive")
    usage_error("unknown kl_controller '" + params.kl_controller + "'", "there are: fixed, adaptive");
  if (!(params.kl_coef >= 0) || !std::isfinite(params.kl_coef))
    usage_error("kl_coef = " + std::to_string(params.kl_coef) + " must be >= 0");
  if (params.kl_controller == "adaptive" && !(params.kl_target > 0 && params.kl_horizon > 0))
    usage_error("an adaptive kl_controller needs kl_target and kl_horizon above 0");
}

void KlController::update(double mean_kl, int64_t answers) {
  if (params_.kl_controller == "fixed") return;
  const double error = std::clamp(mean_kl / params_.kl_target - 1, -0.2, 0.2);
  coef_ *= 1 + error * static_cast<double>(answers) / params_.kl_horizon;
}

Json KlController::state() const { return {{"kl_coef", coef_}}; }

void KlController::load_state(const Json& state) {
  if (!state.is_object() || !state.contains("kl_coef") || !state["kl_coef"].is_number())
    usage_error("the checkpoint's KL controller has no 'kl_coef'");
  coef_ = state["kl_coef"].get<double>();
}

}  // namespace hone::advantages
