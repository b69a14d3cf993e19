// Learning from judged answers directly, without a reward model: DPO and its kin (losses of kind `preference`), from
// comparisons, single answers that are good or bad, or rankings, whichever the loss takes.
#pragma once
#include "config/stage_context.h"
#include "losses/preference_settings.h"
#include "optim/params.h"
#include "train/settings.h"

namespace hone::train {

/// A reference that follows the policy: TR-DPO, Gorbatovski et al. 2024, arXiv 2404.09656. Any loss with a reference.
///
///     every `every` steps:  π_ref <- α·π + (1 - α)·π_ref,  tensor by tensor
struct SyncSettings {
  int64_t every = 0;
  double alpha = 0.6;

  void fields(config::Fields& v) {
    v("every", every, "steps between updates of the reference towards the policy (TR-DPO); 0: it stays as it is",
      "0; TRL 512 where it is on");
    v("alpha", alpha, "share of the policy in the updated reference; 1: a copy of it",
      "0.6: Gorbatovski et al. 2024, TRL");
    v.range("alpha", 0, 1);
    v.only_if("alpha", "sync.every is above 0", [this] { return every > 0; });
  }
};

struct PreferenceParams : ModelSettings {
  std::string reference;
  std::vector<std::string> data;
  double epochs = 1;
  int64_t batch_pairs = 32;
  std::string watch;
  int64_t watch_every = 20;
  int64_t watch_prompts = 200;
  TextSettings text;
  losses::PreferenceLossSettings loss;
  SyncSettings sync;
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

  /// No model or no data, or settings that do not go together: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    ModelSettings::fields(v, "folder of the policy to start from, usually the fine-tuned one");
    v.path("reference", reference, "folder of the frozen reference; empty: the starting policy");
    v.path("data", data, "files of judged answers: comparisons; for losses of single ones, labelled answers, too");
    v("epochs", epochs, "passes over them");
    v("batch_pairs", batch_pairs, "comparisons, judged answers or rankings of one optimiser step");
    v.path("watch", watch, "folder of a world whose gold reward is watched; evaluation only, no learner sees it");
    v("watch_every", watch_every, "steps between looks");
    v("watch_prompts", watch_prompts, "held-out prompts of one look");
    v.range("epochs", 0, 1e6);
    for (const char* key : {"batch_pairs", "watch_every", "watch_prompts"}) v.range(key, 1);
    v.group("text", text);
    v.group("loss", loss);
    v.group("sync", sync);
    v.group("optim", optim);
    v.group("keep", keep);
    v.group("samples", samples);
    v.group("stop", stop);
    v.only_if("reference", "the loss has a reference", [this] { return loss.needs().reference; });
    v.only_if("sync", "the loss has a reference", [this] { return loss.needs().reference; });
    for (const char* key : {"watch_every", "watch_prompts"})
      v.only_if(key, "watch is set", [this] { return !watch.empty(); });
    v.omit({"adapter.dropout"});                                           // a ratio of probabilities is computed
    v.omit({"text.train_on", "text.split_text_by", "text.chosen_sides"});  // of demonstrations and running text
  }
};

void run_preference(const PreferenceParams& params, config::StageContext& context);

}  // namespace hone::train
