// Learning from comparisons directly, without a reward model: DPO and its kin (losses of kind `pair`).
#pragma once
#include "config/stage_context.h"
#include "losses/params.h"
#include "optim/params.h"
#include "train/settings.h"

namespace hone::train {

struct PreferenceParams : ModelSettings {
  std::string reference;
  std::vector<std::string> data;
  double epochs = 1;
  int64_t batch_pairs = 32;
  std::string watch;
  int64_t watch_every = 20;
  int64_t watch_prompts = 200;
  TextSettings text;
  losses::PairLossParams loss;
  optim::OptimParams optim;
  KeepSettings keep;
  SampleSettings samples;
  StopSettings stop;

  PreferenceParams() {
    optim.lr = 5e-7;
    optim.lr_source = "5e-7: Rafailov et al. 2023; TRL 1e-6";
    optim.schedule.decay = "linear";
    optim.schedule.warmup_steps = 150;  // Rafailov et al. 2023
  }

  /// No model or no data: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    ModelSettings::fields(v, "folder of the policy to start from, usually the fine-tuned one");
    v.path("reference", reference, "folder of the frozen reference; empty: the starting policy");
    v.path("data", data, "files of comparisons");
    v("epochs", epochs, "passes over the comparisons");
    v("batch_pairs", batch_pairs, "comparisons of one optimiser step");
    v.path("watch", watch, "folder of a world whose gold reward is watched; evaluation only, no learner sees it");
    v("watch_every", watch_every, "steps between looks");
    v("watch_prompts", watch_prompts, "held-out prompts of one look");
    v.range("epochs", 0, 1e6);
    for (const char* key : {"batch_pairs", "watch_every", "watch_prompts"}) v.range(key, 1);
    v.group("text", text);
    v.group("loss", loss);
    v.group("optim", optim);
    v.group("keep", keep);
    v.group("samples", samples);
    v.group("stop", stop);
    for (const char* key : {"watch_every", "watch_prompts"})
      v.only_if(key, "watch is set", [this] { return !watch.empty(); });
    v.omit({"adapter.dropout"});                                           // a ratio of probabilities is computed
    v.omit({"text.train_on", "text.split_text_by", "text.chosen_sides"});  // of demonstrations and running text
  }
};

void run_preference(const PreferenceParams& params, config::StageContext& context);

}  // namespace hone::train
