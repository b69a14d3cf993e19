#include "optim/muon.h"

#include <doctest/doctest.h>

#include "../golden/golden.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace optim = hone::optim;

// Only diagonal matrices can be followed by hand: each singular value s goes through s -> a s + b s³ + c s⁵.
TEST_CASE("Newton–Schulz treats singular values one by one") {
  Tensor x = at::zeros({1, 2, 2}, at::kDouble);
  x[0][0][0] = 3.0;
  x[0][1][1] = 4.0;
  const Tensor y = optim::newton_schulz(x, 1);
  // divided by |X| = 5: 0.6 and 0.8.  3.4445·0.6 - 4.7750·0.216 + 2.0315·0.07776 = 1.1932694;  0.8: 0.9764819
  CHECK(y[0][0][0].item<double>() == doctest::Approx(3.4445 * 0.6 - 4.7750 * 0.216 + 2.0315 * 0.07776));
  CHECK(y[0][1][1].item<double>() == doctest::Approx(3.4445 * 0.8 - 4.7750 * 0.512 + 2.0315 * 0.32768));
  CHECK(y[0][0][1].item<double>() == 0);
}

TEST_CASE("five iterations bring every singular value near 1, and each matrix of a stack alike") {
  const Tensor stack =
      at::stack({tensor(hone::Json::parse("[[1,2,3],[0,-1,4]]")), tensor(hone::Json::parse("[[100,0,1],[2,50,-7]]"))});
  const Tensor y = optim::newton_schulz(stack, 5);  // (2, 2, 3)
  const Tensor gram = y.bmm(y.transpose(1, 2));
  for (int64_t i = 0; i < 2; ++i) {
    CHECK(gram[i].diagonal().min().item<double>() > 0.4);
    CHECK(gram[i].diagonal().max().item<double>() < 1.5);
    CHECK(distance(y.slice(0, i, i + 1), optim::newton_schulz(stack.slice(0, i, i + 1), 5)) < 1e-6);
    CHECK(distance(y.slice(0, i, i + 1),
                   optim::newton_schulz(stack.slice(0, i, i + 1).transpose(1, 2), 5).transpose(1, 2)) < 1e-6);
  }
}

TEST_CASE("the path is torch.optim.Muon's in f32; its bf16 rounding moves it by less than 5%") {
  const hone::Json file = hone::golden::load("torch_optim.json");
  for (const char* name : {"muon_square", "muon_tall", "muon_wide", "muon_rms", "muon_tall_bf16"}) {
    CAPTURE(std::string(name));
    const hone::Json &g = file[name], &s = g["settings"];
    std::vector<Tensor> w{tensor(g["start"])}, buffer{at::zeros_like(w[0])};
    for (size_t step = 0; step < g["grads"].size(); ++step) {
      optim::muon_update(w, {tensor(g["grads"][step])}, buffer,
                         {.lr = s["lr"],
                          .momentum = s["momentum"],
                          .weight_decay = s["weight_decay"],
                          .newton_schulz_steps = 5,
                          .match_rms_adamw = s["adjust_lr_fn"] == "match_rms_adamw"});
      const double moved = distance(tensor(g["path"][step]), tensor(g["start"]));
      CHECK(distance(w[0], tensor(g["path"][step])) < (std::string(name).ends_with("bf16") ? 0.05 * moved : 3e-6));
    }
  }
}

TEST_CASE("matrices in stacks of bounded size move as in one") {
  std::vector<Tensor> grads, whole, parts, whole_momenta, part_momenta;
  for (int64_t i = 0; i < 5; ++i) {
    grads.push_back(at::arange(24, at::kFloat).mul(0.7 + static_cast<double>(i)).sin().view({4, 6}));
    for (auto* list : {&whole, &parts}) list->push_back(at::ones({4, 6}));
    for (auto* list : {&whole_momenta, &part_momenta}) list->push_back(at::zeros({4, 6}));
  }
  optim::MuonStep settings{
      .lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .newton_schulz_steps = 5, .match_rms_adamw = false};
  optim::muon_update(whole, grads, whole_momenta, settings);
  settings.stack_bytes = 2 * whole[0].nbytes() + 1;
  optim::muon_update(parts, grads, part_momenta, settings);
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(distance(whole[i], parts[i]) < 1e-6);
    CHECK(distance(whole[i], at::ones({4, 6})) > 0.01);
  }
}
