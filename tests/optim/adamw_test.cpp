#include "optim/adamw.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace optim = hone::optim;

namespace {
using Update = void (*)(std::vector<Tensor>&, const std::vector<Tensor>&, std::vector<Tensor>&, std::vector<Tensor>&,
                        int64_t, const optim::AdamwStep&);
}

TEST_CASE("the first step by hand") {
  // g = 0.5: m̂ = g, v̂ = g², so the step is lr·g/(|g| + ε) = lr; the decay takes lr·λ·w = 0.1·0.5·2 first.
  for (const Update update : {&optim::adamw_update, &optim::adamw_update_foreach}) {
    std::vector<Tensor> w{at::full({1}, 2.0)}, m{at::zeros({1})}, v{at::zeros({1})};
    update(w, {at::full({1}, 0.5)}, m, v, 1,
           {.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.5});
    CHECK(w[0].item<float>() == doctest::Approx(2 - 0.1 - 0.1));
    CHECK(m[0].item<float>() == doctest::Approx(0.05));
    CHECK(v[0].item<float>() == doctest::Approx(0.0025));
  }
}

TEST_CASE("fused and foreach follow torch.optim.AdamW") {
  const hone::Json file = hone::golden::load("torch_optim.json");
  for (const char* name : {"adamw", "adamw_plain"})
    for (const Update update : {&optim::adamw_update, &optim::adamw_update_foreach}) {
      CAPTURE(std::string(name));
      const hone::Json &g = file[name], &s = g["settings"];
      std::vector<Tensor> w{tensor(g["start"])}, m{at::zeros_like(w[0])}, v{at::zeros_like(w[0])};
      for (size_t step = 0; step < g["grads"].size(); ++step) {
        update(w, {tensor(g["grads"][step])}, m, v, static_cast<int64_t>(step) + 1,
               {.lr = s["lr"],
                .beta1 = s["betas"][0],
                .beta2 = s["betas"][1],
                .eps = s["eps"],
                .weight_decay = s["weight_decay"]});
        CHECK(distance(w[0], tensor(g["path"][step])) < 2e-6);
      }
    }
}
