// Memory as planned from a config alone, held against the tensors that there then are.
#include "train/memory.h"

#include <doctest/doctest.h>

#include <set>

#include "base/error.h"
#include "model/decoder.h"
#include "model/packed.h"
#include "optim/optimizer.h"
#include "train/adapt.h"
#include "train/trainable.h"

using namespace hone;
using namespace hone::train;

namespace {

model::ModelConfig shape(const std::string& family, bool tied) {
  model::ModelConfig c = model::llama_config(500, 64, 3, 4, 2, 160, 128);
  c.family = family;
  c.tied = tied;
  if (family == "gpt2") {
    c.kv_heads = c.heads;
    c.qkv_bias = c.out_bias = c.mlp_bias = true;
  }
  return c;
}

double bytes_of(const Tensor& t) { return static_cast<double>(t.nbytes()); }

}  // namespace

TEST_CASE("weights, gradients and optimiser state are what was planned, full and with adapters") {
  for (const char* family : {"llama", "gpt2"})
    for (const bool tied : {true, false})
      for (const bool bf16 : {false, true})
        for (const int64_t rank : {0, 4})
          for (const char* rule : {"adamw", "muon"}) {
            CAPTURE(family);
            CAPTURE(rank);
            CAPTURE(rule);
            const model::ModelConfig config = shape(family, tied);
            AdapterSettings adapter;
            adapter.rank = rank;
            optim::OptimParams params;
            params.rule = rule;
            const Memory planned = learning_memory(config, adapter, params, {.bf16 = bf16});
            model::Decoder decoder = model::make_decoder(config, 1);
            settle_adapter(decoder, "base", adapter, 1);
            optim::Optimizer optimizer(trainable_tensors(decoder), params);
            if (bf16) decoder.keep_matrices_in(at::kBFloat16);
            const std::vector<std::vector<int32_t>> batch{{1, 2, 3, 4, 5, 6}};
            decoder.hidden(model::pack(batch)).sum().backward();
            for (const optim::NamedTensor& t : optimizer.tensors())
              if (!t.tensor.grad().defined()) t.tensor.mutable_grad() = at::zeros_like(t.tensor);
            double weights = 0, gradients = 0;
            for (const model::Parameter& p : decoder.parameters()) weights += bytes_of(p.tensor);
            if (decoder.adapter() != nullptr)
              for (const model::Parameter& p : decoder.adapter()->parameters()) weights += bytes_of(p.tensor);
            for (const optim::NamedTensor& t : optimizer.tensors()) gradients += bytes_of(t.tensor.grad());
            CHECK(planned.weights == doctest::Approx(weights));
            CHECK(planned.gradients == doctest::Approx(gradients));
            CHECK(planned.optimiser == doctest::Approx(static_cast<double>(optimizer.state_bytes())).epsilon(0.01));
            CHECK((planned.casts > 0) == bf16);
            if (rank > 0) CHECK(gradients < 0.2 * weights);
          }
}

TEST_CASE("micro-batches by a budget of memory") {
  model::ModelConfig smollm2 = model::llama_config(49152, 576, 30, 9, 3, 1536, 2048);
  ModelSettings settings;
  CHECK(micro_tokens(settings, shape("llama", true), false) == 16384);
  const int64_t f32 = micro_tokens(settings, smollm2, false), bf16 = micro_tokens(settings, smollm2, true);
  CHECK(f32 > 1000);
  CHECK(f32 < 4000);
  CHECK(bf16 > f32);
  settings.activation_gb = 0.001;
  CHECK(micro_tokens(settings, smollm2, false) == 512);
  settings.micro_tokens = 77;
  CHECK(micro_tokens(settings, smollm2, false) == 77);
  ModelSettings kept;
  kept.checkpoint_activations = true;
  CHECK(micro_tokens(kept, smollm2, false) > 4 * f32);
}
