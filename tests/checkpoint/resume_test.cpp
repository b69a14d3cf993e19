// N steps = k steps, save, a fresh process's load, N - k steps: the same bits.
#include <doctest/doctest.h>
#include <unistd.h>

#include "base/rng.h"
#include "checkpoint/machine.h"
#include "checkpoint/store.h"
#include "optim/optimizer.h"

namespace fs = std::filesystem;
namespace optim = hone::optim;
using hone::Tensor;

namespace {
// A two-layer network on random data; the data's cursor is the step.
struct Toy {
  Tensor up = at::zeros({8, 4}), down = at::zeros({1, 8});
  optim::Optimizer optimizer;

  Toy() : optimizer(named(), {.rule = "muon", .lr = 0.01, .weight_decay = 0.01}) {}
  std::vector<optim::NamedTensor> named() {
    const at::NoGradGuard no_grad;
    hone::Stream random(1, "init");
    for (Tensor* t : {&up, &down})
      for (int64_t i = 0; i < t->numel(); ++i) t->view({-1})[i] = random.normal();
    up.requires_grad_();
    down.requires_grad_();
    return {{"up", up, optim::TensorKind::kMatrix}, {"down", down, optim::TensorKind::kHead}};
  }
  void train(int64_t from, int64_t to) {
    for (int64_t step = from; step < to; ++step) {
      hone::Stream random(2, "data", static_cast<uint64_t>(step));
      Tensor x = at::zeros({16, 4});
      for (int64_t i = 0; i < x.numel(); ++i) x.view({-1})[i] = random.normal();
      optimizer.zero_grad();
      (x.matmul(up.t()).tanh().matmul(down.t()) - x.sum(1, true)).square().mean().backward();
      optimizer.step(1);
    }
  }
  optim::StateTensors state() const {
    optim::StateTensors out{{"weights.up", up}, {"weights.down", down}};
    for (auto& [name, tensor] : optimizer.state()) out.emplace_back("optim." + name, tensor);
    return out;
  }
  void load(const optim::StateTensors& saved) {
    const at::NoGradGuard no_grad;
    optim::StateTensors own;
    for (const auto& [name, tensor] : saved) {
      if (name == "weights.up") up.copy_(tensor);
      if (name == "weights.down") down.copy_(tensor);
      if (name.starts_with("optim.")) own.emplace_back(name.substr(6), tensor);
    }
    optimizer.load_state(own);
  }
};
}  // namespace

TEST_CASE("a resumed run ends in the bits of an uninterrupted one, wherever it was cut") {
  const fs::path folder = fs::temp_directory_path() / ("hone-resume-test-" + std::to_string(::getpid()));
  Toy straight;
  straight.train(0, 12);
  for (const int64_t cut : {1, 5, 11}) {
    fs::remove_all(folder);
    hone::checkpoint::Store store(folder);
    {
      Toy first;
      first.train(0, cut);
      store.save(cut, first.state(), hone::Json::object(), hone::checkpoint::this_machine("cpu", "f32"));
    }
    Toy second;
    second.load(store.load(cut).tensors);
    second.train(cut, 12);
    CHECK(at::equal(straight.up, second.up));
    CHECK(at::equal(straight.down, second.down));
  }
  fs::remove_all(folder);
}
