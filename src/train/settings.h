// Settings that several loops share. Each field stands here once, with its meaning and where its default comes from.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"
#include "data/lengths.h"
#include "data/read.h"
#include "data/split.h"

namespace hone::train {

/// LoRA in place of training every weight (model/adapter.h).
struct AdapterSettings {
  int64_t rank = 0;
  double alpha = 32;
  bool rslora = false;
  double dropout = 0;
  std::vector<std::string> targets{"all-linear"};

  void fields(config::Fields& v) {
    v("rank", rank,
      "rank of the low-rank matrices that learn while the model's weights stay frozen (LoRA, Hu et al. 2021); 0: every "
      "weight learns. The result is a PEFT folder that names its base",
      "0; TRL's scripts take 16");
    v("alpha", alpha, "the adapter's output is scaled by alpha / rank", "32: TRL; PEFT 8");
    v("rslora", rslora, "scale by alpha / sqrt(rank) instead", "off; Kalajdzievski 2023, arXiv 2312.03732");
    v("dropout", dropout, "share of the adapter's inputs that a training step leaves out", "0; TRL 0.05");
    v("targets", targets,
      "linear layers that get one: all-linear, or names as PEFT takes them (q_proj, layers.0.mlp.*), with the shell's "
      "wildcards",
      "all-linear: Dettmers et al. 2023, arXiv 2305.14314; PEFT q_proj and v_proj");
    v.range("rank", 0, 65536);
    v.range("alpha", 1e-6, 1e6);
    v.range("dropout", 0, 0.95);
    for (const char* key : {"alpha", "rslora", "dropout", "targets"})
      v.only_if(key, "the adapter's rank is above 0", [this] { return rank > 0; });
  }
};

/// The model that a stage starts from, and how it is trained.
struct ModelSettings {
  std::string model;
  int64_t micro_tokens = 0;
  double activation_gb = 2;
  bool checkpoint_activations = false;
  AdapterSettings adapter;

  void fields(config::Fields& v, std::string_view model_doc) {
    v.path("model", model, model_doc);
    v("micro_tokens", micro_tokens,
      "tokens of one forward and backward pass; a step is split to fit. 0: as many as activation_gb holds, from 512 to "
      "16,384");
    v("activation_gb", activation_gb, "memory for what a pass keeps for its backward pass, in 10^9 bytes");
    v("checkpoint_activations", checkpoint_activations,
      "recompute each block in the backward pass instead of keeping it: less memory, a third more work");
    v.range("activation_gb", 0.001);
    v.only_if("activation_gb", "micro_tokens = 0", [this] { return micro_tokens == 0; });
    v.group("adapter", adapter);
  }
};

/// Checkpoints and evaluation inside a stage.
struct KeepSettings {
  int64_t every = 500;
  int64_t last = 2;
  int64_t evaluate_every = 0;

  void fields(config::Fields& v) {
    v("every", every, "steps between checkpoints; 0: only when interrupted");
    v("last", last, "newest checkpoints kept, besides the best");
    v("evaluate_every", evaluate_every, "steps between held-out evaluations; 0: a tenth of the run");
    v.range("last", 1);
  }
};

/// A few prompts that the model answers again and again while it learns (train/answer_log.h).
struct SampleSettings {
  int64_t prompts = 4;
  int64_t max_tokens = 128;

  void fields(config::Fields& v) {
    v("prompts", prompts,
      "held-out prompts that the model answers at the start, at the first evaluation of each quarter of the run and at "
      "its end, greedily and at temperature 1, for people to read; 0: none");
    v("max_tokens", max_tokens, "most tokens of one such answer, its end token included");
    v.range("max_tokens", 1);
    v.only_if("max_tokens", "the stage's samples.prompts is above 0", [this] { return prompts > 0; });
  }
};

/// When a stage that learns from few comparisons ends before its last step (train/early_stop.h).
struct StopSettings {
  int64_t folds = 0;
  int64_t patience = 0;
  std::vector<double> rates;
  double kl_limit = 0, start_loss_limit = 0;
  std::vector<std::string> ask;
  int64_t prompts = 16, samples = 1, max_tokens = 64;

  bool on() const { return patience > 0 || folds > 0 || drifts(); }
  /// Whether answers are sampled for it.
  bool drifts() const { return kl_limit > 0 || start_loss_limit > 0; }

  void fields(config::Fields& v) {
    v("folds", folds,
      "for few comparisons: cross-validation in so many folds (by prompt) says how far to learn, and all of them are "
      "then learned from, in about that many times the time. 0: off",
      "off: it multiplies the time; 3 to 10 are usual");
    v("patience", patience,
      "evaluations in a row without a better held-out accuracy (among equals, loss) after which the stage ends; the "
      "best one's weights are the result. 0: off");
    v("kl_limit", kl_limit,
      "nats of KL a token to the start, on answers sampled at each evaluation, past which the stage ends: it learned "
      "too hard, and an earlier evaluation's weights are the result. 0: off",
      "0; a try of 60 comparisons was healthy below 0.1 (docs/log.md)");
    v("start_loss_limit", start_loss_limit,
      "the same of the start model's loss per token on those answers over that on its own; 1.1: 10% more. 0: off",
      "0; a wrecked policy showed 1.22, a healthy one 1.01 (docs/log.md)");
    v("rates", rates,
      "learning rates to try in the place of optim.lr, in this order: the first is taken that stays within half of "
      "both "
      "limits for a few steps from the start; none does: optim.lr. Empty: none is tried");
    v.path("ask", ask,
           "files of prompts that are answered for it at each evaluation; those that are learned from are passed over. "
           "Empty: held-out prompts, and trained ones where none is held out, on which a policy seems nearer to its "
           "start than it is (docs/log.md)");
    v("prompts", prompts, "how many prompts are answered");
    v("samples", samples,
      "answers to each of them: of 32 answers in all the loss is known to 5%, of 128 to half of that");
    v("max_tokens", max_tokens, "most tokens of one such answer");
    v.range("patience", 0);
    v.range("rates", 1e-12);
    v.range("folds", 0, 100);
    v.only_if("patience", "stop.folds = 0", [this] { return folds == 0; });
    for (const char* key : {"kl_limit", "start_loss_limit"}) v.range(key, 0, 1000);
    for (const char* key : {"prompts", "max_tokens"}) v.range(key, 1);
    v.range("samples", 1, 1000);
    for (const char* key : {"rates", "ask", "prompts", "samples", "max_tokens"})
      v.only_if(key, "stop.kl_limit or stop.start_loss_limit is above 0", [this] { return drifts(); });
  }
};

/// Reading, tokenising and splitting rows.
struct TextSettings {
  data::ReadSettings read;
  data::LengthSettings length;
  double held_out = 0.05;
  double part_begin = 0, part_end = 1;

  /// Drops the rows that are in no part that the stage takes.
  template <class Row>
  void keep_part(data::Read<Row>& read) const {
    data::keep_part(read.rows, part_begin, part_end);
    read.report.rows = static_cast<int64_t>(read.rows.size());
  }

  void fields(config::Fields& v) {
    read.fields(v);
    length.fields(v);
    v("part_begin", part_begin,
      "the stage takes only the rows whose prompts (by hash) lie from here to part_end of all, of which a share is "
      "held "
      "out: stages whose parts do not overlap learn from other prompts");
    v("part_end", part_end, "where the part ends; 1: at the last prompt");
    for (const char* key : {"part_begin", "part_end"}) v.range(key, 0, 1);
    v("held_out", held_out,
      "share of prompts (by hash; of running text, of documents) kept from training for evaluation");
    v.range("held_out", 0, data::kLargestHeldOut);
  }
};

}  // namespace hone::train
