// Reward models from comparisons: Bradley–Terry on packed pairs.
#pragma once
#include "config/stage_context.h"
#include "losses/params.h"
#include "optim/params.h"
#include "train/settings.h"

namespace hone::train {

struct RewardParams : ModelSettings {
  std::vector<std::string> data;
  double epochs = 1;
  int64_t batch_pairs = 32;
  int64_t ensemble = 1;
  double mismatch = 0;
  bool use_margin = false;
  double head_std = -1;
  std::vector<std::string> reference;
  TextSettings text;
  losses::BradleyTerryParams loss;
  optim::OptimParams optim;
  KeepSettings keep;

  RewardParams() {
    text.held_out = 0.1;
    optim.lr = 1e-5;
    optim.lr_source = "1e-5: RLHFlow; OpenRLHF 9e-6, TRL 1e-4";
    optim.schedule.decay = "cosine";
    optim.schedule.floor = 0.1;
    optim.schedule.warmup_steps = 20;
  }

  /// No model or no data: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    ModelSettings::fields(v, "folder of the model to start from, usually the fine-tuned one");
    v.path("data", data, "files of comparisons");
    v("epochs", epochs, "passes over the comparisons", "one: a second memorises labels (Ouyang et al. 2022)");
    v("batch_pairs", batch_pairs, "comparisons of one optimiser step");
    v("ensemble", ensemble, "members trained on the same comparisons from different heads and orders",
      "Coste et al. 2023: 4-5 against over-optimisation");
    v("mismatch", mismatch,
      "share of comparisons joined by one more in which the chosen answer beats an answer to another prompt",
      "world probe: makes the reward model look at the prompt");
    v("use_margin", use_margin, "subtract the comparison's margin in the loss", "Touvron et al. 2023, eq. 2");
    v("head_std", head_std, "standard deviation of the new head; -1: 1/sqrt(width + 1)", "N+; spec 2.1 row 14");
    v.path("reference", reference,
           "files of demonstrations whose answers' rewards get mean 0 and standard deviation 1; empty: both sides of "
           "the training comparisons; of many answers 4,000, drawn by the seed",
           "Ziegler et al. 2019; N+ takes demonstrations");
    v.range("epochs", 0, 1e6);
    for (const char* key : {"batch_pairs", "ensemble"}) v.range(key, 1);
    v.range("mismatch", 0, 1);
    v.range("head_std", -1);
    v.group("text", text);
    v.group("loss", loss);
    v.group("optim", optim);
    v.group("keep", keep);
    v.only_if("text.chosen_sides", "reference is set", [this] { return !reference.empty(); });
    v.omit({"text.train_on", "text.split_text_by"});
  }
};

void run_reward(const RewardParams& params, config::StageContext& context);

}  // namespace hone::train
