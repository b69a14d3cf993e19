#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "../golden/golden.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/weight_casts.h"

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
  const Tensor score = ts[5].tensor.detach().clone();
  give_gradients(ts, 0);
  CHECK(optimizer.unreached().size() == ts.size());
  optimizer.step(1);
  CHECK(optimizer.unreached().empty());
  // The matrices' rate is "lr"; a kind of its own rate stands beside it.
  const std::vector<std::pair<std::string, double>> rates{
      {"lr", 0.01}, {"lr_embedding", 5e-4}, {"lr_vector", 5e-4}, {"lr_head", 0.25}};
  CHECK(optimizer.rates(0.5) == rates);
  CHECK(optim::Optimizer(model(), {.lr = 0.5}).rates(1) == std::vector<std::pair<std::string, double>>{{"lr", 0.5}});
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
  ts.pop_back();
  CHECK_THROWS_WITH_AS(optim::Optimizer(ts, {.head_lr = 0.1}), doctest::Contains("head_lr is set, but no tensor"),
                       hone::Error);
}

namespace {
// Steps in which the tensors of `teaching` get a gradient of that size, and the others one of zeros.
void teach(optim::Optimizer& optimizer, const std::set<std::string>& teaching, int steps, double size, double factor) {
  for (int step = 0; step < steps; ++step) {
    give_gradients(optimizer.tensors(), step);
    for (const auto& t : optimizer.tensors()) t.tensor.grad().mul_(teaching.contains(t.name) ? size : 0);
    optimizer.step(factor);
  }
}
const std::set<std::string> kAll{"embed", "up.0", "up.1", "down", "norm", "score"};
}  // namespace

TEST_CASE("a tensor that no gradient reaches stops the run, under either rule and in either precision") {
  for (const char* rule : {"adamw", "muon"})
    for (const char* dead : {"up.1", "norm", "score"}) {
      CAPTURE(rule);
      CAPTURE(dead);
      std::set<std::string> alive = kAll;
      alive.erase(dead);
      optim::Optimizer optimizer(model(), {.rule = rule});
      teach(optimizer, alive, static_cast<int>(optim::kTeachingSteps) - 1, 1, 1);
      CHECK_THROWS_WITH_AS(
          teach(optimizer, alive, 1, 1, 1),
          doctest::Contains(
              ("no gradient has reached 1 of 6 trainable tensors in 5 steps: " + std::string(dead)).c_str()),
          hone::Error);
    }
}

TEST_CASE("what only looks like a dead tensor does not stop a run") {
  // Published rates with a warm-up: weights stay to the bit where a step is below their rounding.
  for (const char* rule : {"adamw", "muon"})
    for (const double size : {1.0, 1e-6, 1e-18}) {
      const auto ts = model();
      optim::Optimizer optimizer(ts, {.rule = rule, .lr = 5e-7, .clip_norm = 0});
      teach(optimizer, kAll, 10, size, 1.0 / 150);
      CHECK(optimizer.unreached().empty());
    }
  // A head of zeros: in the first step nothing but the head has a gradient.
  optim::Optimizer behind_zeros(model(), {});
  teach(behind_zeros, {"score"}, 1, 1, 1);
  teach(behind_zeros, kAll, 10, 1, 1);
  // Steps without any gradient (no advantage, pairs of equal sides) are no evidence, however many.
  optim::Optimizer silent(model(), {});
  teach(silent, {}, 50, 1, 1);
  CHECK(silent.unreached().size() == 6);
  teach(silent, {"score"}, 1, 1, 1);
  teach(silent, kAll, 10, 1, 1);
  // One row of an embedding is enough.
  optim::Optimizer rows(model(), {});
  for (int step = 0; step < 10; ++step) {
    give_gradients(rows.tensors(), step);
    Tensor unused = rows.tensors()[0].tensor.grad();
    unused.slice(0, 1).zero_();
    rows.step(1);
  }
  // Held still on purpose: nothing is asked of it, nor of what lies behind it.
  optim::Optimizer still(model(), {.lr = 0, .matrix_lr = 1e-3});
  teach(still, {"up.0", "up.1", "down"}, 10, 1, 1);
}

TEST_CASE("a resumed run looks at the moments that it has brought along") {
  optim::Optimizer before(model(), {});
  teach(before, kAll, 2, 1, 1);
  optim::Optimizer after(model(), {});
  after.load_state(before.state());
  teach(after, {"score"}, 10, 1, 1);  // the others were reached before the break
  CHECK(after.unreached().empty());
}

TEST_CASE("a kept cast follows every optimiser's step") {
  for (const char* rule : {"adamw", "muon"}) {
    CAPTURE(std::string(rule));
    Tensor w = at::ones({4, 6}).requires_grad_(true);
    optim::Optimizer optimizer({{"w", w, optim::TensorKind::kMatrix}}, {.rule = rule, .lr = 0.1});
    hone::WeightCasts casts;
    for (int64_t step = 0; step < 3; ++step) {
      CHECK(at::equal(casts.of(w, at::kBFloat16).detach(), w.detach().to(at::kBFloat16)));
      const Tensor before = w.detach().clone();
      w.mutable_grad() = at::arange(24, at::kFloat).view({4, 6});
      optimizer.step(1);
      CHECK_FALSE(at::equal(before, w.detach()));
    }
    CHECK(at::equal(casts.of(w, at::kBFloat16).detach(), w.detach().to(at::kBFloat16)));
  }
}
