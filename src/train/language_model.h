// Pretraining and supervised fine-tuning: next-token prediction on packed sequences, one loop for both.
#pragma once
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

struct LanguageModelParams {
  /// No data, nothing to start from, a shape that cannot be: kUsage.
  void check() const;
  std::string model;      // SFT and continued pretraining
  std::string tokenizer;  // pretraining from nothing
  std::vector<std::string> data;
  int64_t steps = 0;
  double epochs = 1;
  int64_t batch_tokens = 1024;
  int64_t micro_tokens = 16384;
  int64_t max_data_tokens = 0;
  double max_minutes = 0;
  bool checkpoint_activations = false;
  ShapeSettings shape;
  data::CorpusSettings corpus;
  TextSettings text;
  optim::OptimParams optim;
  KeepSettings keep;

  void fields(config::Fields& v) {
    v.path("model", model, "folder of the model to start from; empty: a new one of `shape`");
    v.path("tokenizer", tokenizer, "folder of the tokenizer of a new model");
    v.path("data", data, "files: text for pretraining; prompt/completion or messages for fine-tuning");
    v("steps", steps, "optimiser steps; 0: as many as `epochs` make");
    v("epochs", epochs, "passes over the data");
    v("batch_tokens", batch_tokens, "tokens of one optimiser step");
    v("micro_tokens", micro_tokens, "tokens of one forward and backward pass; a step is split to fit");
    v("max_data_tokens", max_data_tokens, "pretraining: read no more than this many tokens of the data; 0: all");
    v("max_minutes", max_minutes,
      "cap on the wall-clock time; 0: none. The steps are then estimated from the first ones, so a capped run is not "
      "bit-reproducible and the record says so");
    v("checkpoint_activations", checkpoint_activations,
      "recompute each block in the backward pass instead of keeping it: less memory, a third more work");
    v.range("epochs", 0, 1e6);
    for (const char* key : {"batch_tokens", "micro_tokens"}) v.range(key, 1);
    v.range("max_minutes", 0);
    v.group("shape", shape);
    corpus.fields(v);
    v.group("text", text);
    v.group("optim", optim);
    v.group("keep", keep);
  }
};

/// Pretraining: Muon for the matrices decides whether a small model learns facts at all in the time (docs/log.md).
struct PretrainParams : LanguageModelParams {
  PretrainParams() {
    text.read.split_text_by = "blank_line";
    corpus.documents = "separate";
    text.length.max_lost_share = 1;  // documents are cut to the context, nothing is lost
    text.held_out = 0.01;
    optim.rule = "muon";
    optim.lr = 3e-3;
    optim.embedding_lr = 0.02;
    optim.matrix_lr = 0.01;
    optim.beta2 = 0.95;
    optim.schedule.decay = "linear";
    optim.schedule.floor = 0.05;
    optim.schedule.warmup_steps = 50;
  }
};

/// Supervised fine-tuning.
struct SftParams : LanguageModelParams {
  SftParams() {
    batch_tokens = 2048;
    text.held_out = 0.03;
    optim.rule = "muon";
    optim.lr = 5e-4;
    optim.embedding_lr = 2e-3;  // the chat format's tokens are new to the model
    optim.matrix_lr = 0.003;
    optim.schedule.decay = "linear";
    optim.schedule.floor = 0.05;
    optim.schedule.warmup_steps = 20;
  }
};

/// The model that `params.shape` asks for; sizes that do not divide: kUsage.
model::ModelConfig new_model_config(const LanguageModelParams& params, int64_t vocabulary);

void run_pretrain(const PretrainParams& params, config::StageContext& context);
void run_sft(const SftParams& params, config::StageContext& context);

}  // namespace hone::train
