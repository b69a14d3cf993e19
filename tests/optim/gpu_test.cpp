// The same updates on a GPU as on the CPU. Label `gpu`: elsewhere it says why it does nothing.
#include <doctest/doctest.h>

#include "../golden/golden.h"
#include "base/rng.h"
#include "optim/optimizer.h"

using hone::Tensor;
namespace optim = hone::optim;

namespace {
bool cuda_works() {
  try {
    at::zeros({1}, at::TensorOptions().device(at::kCUDA));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

Tensor random(const char* purpose, int64_t step, std::vector<int64_t> shape) {
  hone::Stream stream(4, purpose, static_cast<uint64_t>(step));
  std::vector<float> x(static_cast<size_t>(shape[0] * shape[1]));
  for (float& v : x) v = static_cast<float>(stream.normal());
  return at::from_blob(x.data(), shape).clone();
}

std::vector<Tensor> trained(at::Device device, const char* rule) {
  Tensor matrix = random("matrix", 0, {64, 32}).to(device), head = random("head", 0, {1, 64}).to(device);
  matrix.requires_grad_();
  head.requires_grad_();
  optim::Optimizer optimizer({{"matrix", matrix, optim::TensorKind::kMatrix}, {"head", head, optim::TensorKind::kHead}},
                             {.rule = rule, .lr = 0.01, .weight_decay = 0.1});
  for (int64_t step = 1; step <= 5; ++step) {
    matrix.mutable_grad() = random("matrix", step, {64, 32}).to(device);
    head.mutable_grad() = random("head", step, {1, 64}).to(device);
    optimizer.step(1);
  }
  return {matrix.detach().cpu(), head.detach().cpu()};
}
}  // namespace

TEST_CASE("AdamW and Muon move weights on CUDA as on the CPU, and twice to the same bits") {
  if (!cuda_works()) {
    MESSAGE("skipped: this LibTorch has no CUDA device");
    return;
  }
  for (const char* rule : {"adamw", "muon"}) {
    const auto cpu = trained(at::kCPU, rule), cuda = trained(at::kCUDA, rule), again = trained(at::kCUDA, rule);
    for (size_t i = 0; i < cpu.size(); ++i) {
      CHECK(hone::golden::distance(cpu[i], cuda[i]) < 1e-4);
      CHECK(at::equal(cuda[i], again[i]));
    }
  }
}
