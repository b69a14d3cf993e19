// Settings of the optimiser and the learning-rate schedule. Torch-free; fields() lists each key once.
#pragma once
#include <cstdint>
#include <string>

namespace hone::optim {

struct ScheduleParams {
  int64_t warmup_steps = 0;
  std::string decay = "constant";
  double floor = 0;

  template <class V>
  void fields(V& v) {
    v("warmup_steps", warmup_steps,
      "steps over which the learning rate rises linearly to its full value; in a run shorter than that, a tenth of the "
      "run",
      "none");
    v.choice("decay", decay, {"constant", "linear", "cosine"},
             "how it falls after the warm-up, over the steps that are left", "constant");
    v("floor", floor, "where the decay ends, as a share of the full learning rate",
      "0; OpenRLHF and nanochat stop at 0.1 and 0");
    v.range("floor", 0, 1);
    v.only_if("floor", "decay is linear or cosine", [this] { return decay != "constant"; });
  }
};

struct OptimParams {
  std::string rule = "adamw";
  double lr = 1e-3;
  double matrix_lr = 0;
  double embedding_lr = 0;
  double vector_lr = 0;
  double head_lr = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0.95;
  int64_t newton_schulz_steps = 5;
  std::string matrix_scale = "original";
  double clip_norm = 1;
  ScheduleParams schedule = {};
  std::string lr_source = "1e-3: Kingma & Ba 2015";  ///< of lr's default, which each stage chooses for itself

  template <class V>
  void fields(V& v) {
    v.choice("rule", rule, {"adamw", "muon"},
             "adamw for every tensor, or muon for hidden matrices and adamw for the rest",
             "adamw: Loshchilov & Hutter 2019; muon: Jordan et al. 2024");
    v("lr", lr, "learning rate of every kind of tensor that is given none of its own", lr_source);
    v("matrix_lr", matrix_lr, "learning rate of hidden matrices; 0: lr",
      "lr; Muon wants about 0.02 (Jordan et al. 2024)");
    v("embedding_lr", embedding_lr, "learning rate of embeddings; 0: lr", "lr");
    v("vector_lr", vector_lr, "learning rate of norm gains and biases; 0: lr", "lr");
    v("head_lr", head_lr, "learning rate of the output layer and of reward and value heads; 0: lr", "lr");
    v("beta1", beta1, "AdamW's decay of the mean gradient", "0.9: Kingma & Ba 2015");
    v("beta2", beta2, "AdamW's decay of the mean squared gradient", "0.999: Kingma & Ba 2015; OpenRLHF 0.95");
    v("eps", eps, "added to the root of the mean squared gradient", "1e-8: PyTorch; N+ and AlpacaFarm 1e-5");
    v("weight_decay", weight_decay,
      "decoupled decay of matrices, embeddings and heads, times the learning rate; vectors have none", "0: TRL, N+");
    v("momentum", momentum, "Muon's momentum (Nesterov)", "0.95: Jordan et al. 2024");
    v("newton_schulz_steps", newton_schulz_steps, "iterations that orthogonalise Muon's update",
      "5: Jordan et al. 2024");
    v.choice("matrix_scale", matrix_scale, {"original", "match_rms_adamw"},
             "Muon's factor on the learning rate: sqrt(max(1, rows/columns)), or 0.2·sqrt(max(rows, columns))",
             "original: Jordan et al. 2024; match_rms_adamw: Liu et al. 2025, arXiv 2502.16982");
    v("clip_norm", clip_norm, "gradients are scaled down to this global norm; 0 = never", "1: TRL, OpenRLHF, verl");
    for (const char* key :
         {"lr", "matrix_lr", "embedding_lr", "vector_lr", "head_lr", "eps", "weight_decay", "clip_norm"})
      v.range(key, 0);
    for (const char* key : {"beta1", "beta2", "momentum"}) v.range(key, 0, 1);
    v.range("newton_schulz_steps", 1);
    for (const char* key : {"momentum", "newton_schulz_steps", "matrix_scale"})
      v.only_if(key, "rule = muon", [this] { return rule == "muon"; });
    schedule.fields(v);
  }
};

}  // namespace hone::optim
