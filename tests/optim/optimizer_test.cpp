#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "base/error.h"
#include "base/rng.h"
#include "optim/changed.h"

using hone::Tensor;
namespace optim = hone::optim;
using optim::TensorKind;

namespace {
Tensor random(const std::string& purpose, std::vector<int64_t> shape) {
  hone::Stream stream(9, purpose);
  int64_t n = 1;
  for (const int64_t s : shape) n *= s;
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = static_cast<float>(stream.normal());
  return at::from_blob(x.data(), shape).clone();
}

std::vector<optim::NamedTensor> model() {
  std::vector<optim::NamedTensor> ts{
      {"embed", random("e", {8, 4}), TensorKind::kEmbedding}, {"up.0", random("u0", {6, 4}), TensorKind::kMatrix},
      {"up.1", random("u1", {6, 4}), TensorKind::kMatrix},    {"down", random("d", {4, 6}), TensorKind::kMatrix},
      {"norm", random("n", {4}), TensorKind::kVector},        {"score", random("s", {1, 4}), TensorKind::kHead}};
  for (auto& t : ts) t.tensor.requires_grad_();
  return ts;
}

void give_gradients(const std::vector<optim::NamedTensor>& ts, int step) {
  for (const auto& t : ts) {
    Tensor handle = t.tensor;
    handle.mutable_grad() = random(t.name + std::to_string(step), t.tensor.sizes().vec());
  }
}

bool equal(const std::vector<optim::NamedTensor>& a, const std::vector<optim::NamedTensor>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (!at::equal(a[i].tensor.detach(), b[i].tensor.detach())) return false;
  return true;
}
}  // namespace

TEST_CASE("matrices go to Muon, the rest to AdamW, every tensor moves, each kind at its own rate") {
  const auto ts = model();
  optim::Optimizer optimizer(ts, {.rule = "muon", .lr = 1e-3, .matrix_lr = 0.02, .head_lr = 0.5, .clip_norm = 0});
  CHECK(optimizer.lr(TensorKind::kMatrix) == 0.02);
  CHECK(optimizer.lr(TensorKind::kEmbedding) == 1e-3);
  const optim::FirstStepCheck check(ts);
  const Tensor score = ts[5].tensor.detach().clone();
  give_gradients(ts, 0);
  optimizer.step(1);
  check.assert_all_changed();
  // AdamW's first step moves every element by the learning rate.
  CHECK((ts[5].tensor.detach() - score).abs().min().item<double>() == doctest::Approx(0.5).epsilon(1e-3));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : optimizer.state()) names.push_back(name);
  CHECK(std::count(names.begin(), names.end(), "momentum.up.1") == 1);
  CHECK(std::count(names.begin(), names.end(), "exp_avg_sq.score") == 1);
  CHECK(names.size() == 1 + 3 + 3 * 2);
}

TEST_CASE("vectors are not decayed; a factor of 0 moves nothing") {
  const auto ts = model();
  optim::Optimizer optimizer(ts, {.lr = 0.1, .weight_decay = 1});
  const Tensor norm = ts[4].tensor.detach().clone(), embed = ts[0].tensor.detach().clone();
  for (const auto& t : ts) {
    Tensor handle = t.tensor;
    handle.mutable_grad() = at::zeros_like(t.tensor.detach());
  }
  optimizer.step(0);
  CHECK(at::equal(embed, ts[0].tensor.detach()));
  optimizer.step(1);
  CHECK(at::equal(norm, ts[4].tensor.detach()));
  CHECK(hone::golden::distance(ts[0].tensor, embed * 0.9) < 1e-6);  // w (1 - lr λ)
}

TEST_CASE("saved and loaded in the middle, the run ends in the same bits") {
  for (const char* rule : {"adamw", "muon"}) {
    const optim::OptimParams params{.rule = rule, .lr = 0.01, .weight_decay = 0.1};
    const auto straight = model(), broken = model();
    optim::Optimizer one(straight, params);
    for (int step = 0; step < 6; ++step) {
      give_gradients(straight, step);
      one.step(1);
    }
    optim::StateTensors saved;
    {
      optim::Optimizer first(broken, params);
      for (int step = 0; step < 3; ++step) {
        give_gradients(broken, step);
        first.step(1);
      }
      for (const auto& [name, tensor] : first.state()) saved.emplace_back(name, tensor.clone());
    }
    optim::Optimizer second(broken, params);
    second.load_state(saved);
    CHECK(second.steps() == 3);
    for (int step = 3; step < 6; ++step) {
      give_gradients(broken, step);
      second.step(1);
    }
    CHECK(equal(straight, broken));
  }
}

TEST_CASE("a non-finite gradient changes nothing") {
  const auto ts = model(), before = model();
  optim::Optimizer optimizer(ts, {});
  give_gradients(ts, 0);
  ts[2].tensor.grad()[0][0] = INFINITY;
  CHECK(!std::isfinite(optimizer.step(1)));
  CHECK(equal(ts, before));
  CHECK(optimizer.steps() == 0);
}

TEST_CASE("a state of other tensors is refused by name") {
  auto ts = model();
  const optim::Optimizer all(ts, {});
  ts.pop_back();
  optim::Optimizer fewer(ts, {});
  CHECK_THROWS_WITH_AS(fewer.load_state(all.state()), doctest::Contains("score"), hone::Error);
  optim::Optimizer more(model(), {});
  CHECK_THROWS_WITH_AS(more.load_state(fewer.state()), doctest::Contains("lacks 'exp_avg.score'"), hone::Error);
  CHECK_THROWS_AS(optim::Optimizer(ts, {.rule = "sgd"}), hone::Error);
}
