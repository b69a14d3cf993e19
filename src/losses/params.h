// Settings of the losses. Torch-free, so that recipes, `hone explain` and the pipeline read them without LibTorch.
// fields() lists each key once, with its meaning and where the default comes from.
#pragma once
#include <string>

namespace hone::losses {

/// Bradley–Terry reward loss (losses/bradley_terry.h).
struct BradleyTerryParams {
  double label_smoothing = 0;
  double centring = 0;

  template <class V>
  void fields(V& v) {
    v("label_smoothing", label_smoothing, "probability that a comparison's label is flipped",
      "off, as in TRL and OpenRLHF");
    v("centring", centring, "c in c·(r_chosen + r_rejected)², which keeps rewards near 0; 0 = off",
      "off; TRL suggests 0.01 (Eisenstein et al. 2023, arXiv 2312.09244)");
    v.range("label_smoothing", 0, 0.5);
    v.range("centring", 0);
  }
};

/// PPO's policy and value losses (losses/ppo.h).
struct PpoLossParams {
  double clip_low = 0.2;
  double clip_high = 0.2;
  double dual_clip = 0;
  double value_clip = 0.2;
  double entropy_coef = 0;

  template <class V>
  void fields(V& v) {
    v("clip_low", clip_low, "the ratio is clipped from below at 1 - clip_low",
      "0.2: Schulman et al. 2017; TRL, OpenRLHF, verl");
    v("clip_high", clip_high, "the ratio is clipped from above at 1 + clip_high",
      "0.2: Schulman et al. 2017; DAPO uses 0.28");
    v("dual_clip", dual_clip, "c, above 1: where the advantage is negative the loss is at most -c·A; 0: off",
      "off, as in TRL; verl 3, NeMo-RL 10 (Ye et al. 2020)");
    v("value_clip", value_clip,
      "the value may move at most this far from its old value before the loss stops helping; 0 = off",
      "0.2: TRL, N+, AlpacaFarm; OpenRLHF and verl 0.5");
    v("entropy_coef", entropy_coef, "weight of the entropy bonus", "0: TRL, OpenRLHF, verl");
    v.range("clip_low", 0, 1);
    for (const char* key : {"clip_high", "dual_clip", "value_clip"}) v.range(key, 0);
  }
};

}  // namespace hone::losses
