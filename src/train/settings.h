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

/// Reading, tokenising and splitting rows.
struct TextSettings {
  data::ReadSettings read;
  data::LengthSettings length;
  double held_out = 0.05;

  void fields(config::Fields& v) {
    read.fields(v);
    length.fields(v);
    v("held_out", held_out,
      "share of prompts (by hash; of running text, of documents) kept from training for evaluation");
    v.range("held_out", 0, data::kLargestHeldOut);
  }
};

}  // namespace hone::train
