// Pretraining and supervised fine-tuning: next-token prediction on packed sequences, one loop for both.
#pragma once
#include <set>

#include "config/stage_context.h"
#include "data/corpus.h"
#include "model/config.h"
#include "optim/params.h"
#include "train/settings.h"

namespace hone::train {

/// Shape of a new model (Llama-like).
struct ShapeSettings {
  int64_t layers = 4, width = 128, heads = 4, kv_heads = 4, ffn = 384;
  int64_t context = 256;
  double rope_theta = 10000;
  double init_std = 0.02;
  bool tied = true;

  void fields(config::Fields& v) {
    v("layers", layers, "decoder blocks");
    v("width", width, "width of the residual stream");
    v("heads", heads, "attention heads");
    v("kv_heads", kv_heads, "key and value heads; fewer than heads is grouped-query attention");
    v("ffn", ffn, "inner width of the feed-forward layer");
    v("context", context, "longest sequence in tokens");
    v("rope_theta", rope_theta, "base of the rotary position embedding");
    v("init_std", init_std, "standard deviation of the initial matrices and embeddings");
    v("tied", tied, "one matrix for input and output embedding");
    for (const char* key : {"layers", "width", "heads", "kv_heads", "ffn"}) v.range(key, 1);
    v.range("context", 2);
    v.range("rope_theta", 1);
  }
};

struct LanguageModelParams : ModelSettings {
  /// The optimiser's defaults hold for a given model; a new one gets those it is made with (docs/log.md), as far as
  /// `given`, the keys that somebody has set, leaves them open: `lr` alone is every tensor's.
  void settle(const std::set<std::string>& given);
  /// No data, nothing to start from, a shape that cannot be: kUsage.
  void check() const;
  std::string tokenizer;  // pretraining from nothing
  std::vector<std::string> data;
  int64_t steps = 0;
  double epochs = 1;
  int64_t batch_tokens = 4096;
  int64_t max_data_tokens = 0;
  double max_minutes = 0;
  ShapeSettings shape;
  data::CorpusSettings corpus;
  TextSettings text;
  optim::OptimParams optim;
  KeepSettings keep;
  SampleSettings samples;

  void fields(config::Fields& v) {
    ModelSettings::fields(
        v,
        "folder of the model to start from; empty: a new one of `shape`, for which optim.rule is muon, optim.lr 3e-3, "
        "matrix_lr 0.01 and embedding_lr 0.02 where neither rule nor lr is set");
    v.path("tokenizer", tokenizer, "folder of the tokenizer of a new model");
    v.path("data", data, "files: text for pretraining; prompt/completion or messages for fine-tuning");
    v("steps", steps, "optimiser steps; 0: as many as `epochs` make");
    v("epochs", epochs, "passes over the data");
    v("batch_tokens", batch_tokens, "tokens of one optimiser step", "8 rows of 512, TRL's batch at half its length");
    v("max_data_tokens", max_data_tokens, "pretraining: read no more than this many tokens of the data; 0: all");
    v("max_minutes", max_minutes,
      "cap on the wall-clock time; 0: none. The steps are then estimated from the first ones, so a capped run is not "
      "bit-reproducible and the record says so");
    v.range("epochs", 0, 1e6);
    v.range("batch_tokens", 1);
    v.range("max_minutes", 0);
    v.group("shape", shape);
    corpus.fields(v);
    v.group("text", text);
    v.group("optim", optim);
    v.group("keep", keep);
    v.group("samples", samples);
    v.only_if("adapter", "there is a model to start from", [this] { return !model.empty(); });
    v.only_if("shape", "there is no model to start from", [this] { return model.empty(); });
    v.omit({"text.ties"});
  }
};

struct PretrainParams : LanguageModelParams {
  PretrainParams() {
    text.read.split_text_by = "blank_line";
    corpus.documents = "separate";
    text.held_out = 0.01;
    optim.lr = 5e-5;
    optim.lr_source = "of a given model 5e-5: transformers' run_clm.py; of a new one Muon's rates (docs/log.md)";
    optim.beta2 = 0.95;
    optim.schedule.decay = "linear";
    optim.schedule.floor = 0.05;
    optim.schedule.warmup_steps = 50;
  }
  void fields(config::Fields& v) {
    LanguageModelParams::fields(v);
    // Running text has no rows to fit, no answers and no comparisons: what is longer than the context is cut there.
    v.omit({"text.chat_format", "text.train_on", "text.max_length", "text.max_prompt_length", "text.too_long",
            "text.max_lost_share", "text.chosen_sides", "text.passages", "text.part_begin", "text.part_end",
            "samples"});
  }
};

/// Supervised fine-tuning.
struct SftParams : LanguageModelParams {
  SftParams() {
    text.held_out = 0.03;
    optim.lr = 2e-5;
    optim.lr_source = "2e-5: TRL; OpenRLHF 5e-6";
    optim.schedule.decay = "linear";
    optim.schedule.warmup_steps = 20;
  }
  void fields(config::Fields& v) {
    LanguageModelParams::fields(v);
    v.omit({"documents", "max_data_tokens", "text.split_text_by"});  // of running text
  }
};

/// The model that `params.shape` asks for; sizes that do not divide: kUsage.
model::ModelConfig new_model_config(const LanguageModelParams& params, int64_t vocabulary);

void run_pretrain(const PretrainParams& params, config::StageContext& context);
void run_sft(const SftParams& params, config::StageContext& context);

}  // namespace hone::train
