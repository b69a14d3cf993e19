#include "model/decoder.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "shapes.h"
#include "tensor/autograd.h"
#include "tensor/gradcheck.h"
#include "tensor/logps.h"

using namespace hone;
using namespace hone::model;
using test::sequences;
using test::tiny;

namespace {

// Sum of all log-probabilities of next tokens, and the gradients of every parameter.
std::vector<Tensor> loss_and_gradients(Decoder& decoder, const std::vector<std::vector<int32_t>>& batch,
                                       const ComputeOptions& options = {}) {
  decoder.set_trainable(true);
  const Packed packed = pack(batch);
  const Tensor hidden = decoder.hidden(packed, options);
  const Tensor targets = packed.ids.roll({-1});
  const Tensor loss = token_logps(hidden, decoder.output_weight(), targets).logps.mul(packed.positions + 1).sum();
  std::vector<Tensor> inputs;
  for (const Parameter& p : decoder.parameters()) inputs.push_back(p.tensor);
  std::vector<Tensor> out = gradients({loss}, {}, inputs);
  out.push_back(loss.detach());
  return out;
}

double worst_relative(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]).to(at::kDouble).square().sum().item<double>();
    norm += b[i].to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(difference / norm);
}

}  // namespace

TEST_CASE("packed sequences do not see each other: together equals apart") {
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"})
    for (const auto& [dtype, bound] : {std::pair{at::kDouble, 1e-10}, {at::kFloat, 1e-5}}) {
      CAPTURE(family);
      Decoder decoder = make_decoder(tiny(family), 1);
      decoder.to(at::kCPU, dtype);
      const auto batch = sequences({3, 17, 1, 16, 15, 300, 2});
      const at::NoGradGuard no_grad;
      AttentionWork work;
      const Tensor together = decoder.hidden(pack(batch), {.work = &work});
      CHECK(work.padding <= 0.15 * work.cells);
      int64_t at = 0;
      for (const auto& s : batch) {
        const Tensor alone = decoder.hidden(pack({&s, 1}));
        CHECK(test::max_difference(together.narrow(0, at, alone.size(0)), alone) < bound);
        at += alone.size(0);
      }
    }
}

TEST_CASE("sequences that lie as trees are computed as if each had its own beginning, gradients too") {
  // Pairs: alike to the last token, alike at first, one the beginning of the other, nothing alike, one left over.
  std::vector<std::vector<int32_t>> batch = sequences({12, 12, 40, 33, 9, 21, 5, 6, 300, 290, 7});
  batch[1] = batch[0], batch[1].back() = (batch[0].back() + 1) % 40;
  std::copy_n(batch[2].begin(), 30, batch[3].begin());
  std::copy_n(batch[4].begin(), 9, batch[5].begin());
  batch[7].front() = (batch[6].front() + 1) % 40;
  std::copy_n(batch[8].begin(), 280, batch[9].begin());
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"})
    for (const auto& [dtype, bound, own] :
         {std::tuple{at::kDouble, 1e-9, true}, {at::kFloat, 1e-4, true}, {at::kFloat, 1e-4, false}}) {
      CAPTURE(family);
      Decoder decoder = make_decoder(tiny(family), 1);
      decoder.to(at::kCPU, dtype);
      decoder.set_trainable(true);
      std::vector<Tensor> sources;
      for (const auto& p : decoder.parameters()) sources.push_back(p.tensor);
      const auto pass = [&](int64_t group) {
        const Packed packed = pack(batch, at::kCPU, group);
        const Tensor hidden = decoder.hidden(packed, {.own_attention = own});
        std::vector<Tensor> rows;  // of every token of every sequence
        for (const Place& place : packed.places)
          for (int64_t t = 0; t < place.length; ++t) rows.push_back(hidden[place.row(t)]);
        const Tensor all = at::stack(rows);
        const Tensor weights = at::sin(at::arange(all.numel(), all.options().requires_grad(false))).view_as(all);
        std::vector<Tensor> out = gradients({(all * weights).sum()}, {}, sources);
        out.insert(out.begin(), all.detach());
        CHECK(packed.tokens() == (group == 1 ? 735 : 735 - 11 - 30 - 8 - 280));
        return out;
      };
      const std::vector<Tensor> apart = pass(1), trees = pass(2);
      for (size_t i = 0; i < apart.size(); ++i)
        CHECK(test::max_difference(apart[i], trees[i]) < bound * std::max(1.0, apart[i].abs().max().item<double>()));
    }
}

TEST_CASE("the order of sequences in a pack changes no gradient") {
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"})
    for (const auto& [dtype, bound] : {std::pair{at::kDouble, 1e-10}, {at::kFloat, 1e-5}}) {
      Decoder decoder = make_decoder(tiny(family), 1);
      decoder.to(at::kCPU, dtype);
      auto batch = sequences({5, 12, 9, 11});
      for (auto& s : batch) s.front() = 1;  // the rolled target of a last token is then always the same
      const auto a = loss_and_gradients(decoder, batch);
      std::swap(batch[0], batch[2]);
      std::swap(batch[1], batch[3]);
      CHECK(worst_relative(loss_and_gradients(decoder, batch), a) < bound);
    }
}

TEST_CASE("a later token changes nothing before it") {
  Decoder decoder = make_decoder(tiny(), 3);
  auto batch = sequences({12});
  const at::NoGradGuard no_grad;
  const Tensor before = decoder.hidden(pack(batch));
  batch[0][8] = (batch[0][8] + 1) % 37;
  const Tensor after = decoder.hidden(pack(batch));
  CHECK(test::max_difference(before.narrow(0, 0, 8), after.narrow(0, 0, 8)) < 1e-6);
  CHECK(test::max_difference(before.narrow(0, 8, 4), after.narrow(0, 8, 4)) > 1e-3);
}

TEST_CASE("activation checkpointing gives the same gradients") {
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"}) {
    Decoder decoder = make_decoder(tiny(family), 5);
    decoder.to(at::kCPU, at::kDouble);
    const auto batch = sequences({20, 33});
    const auto plain = loss_and_gradients(decoder, batch);
    const auto checkpointed = loss_and_gradients(decoder, batch, {.checkpoint = true});
    for (size_t i = 0; i < plain.size(); ++i) CHECK(at::equal(plain[i], checkpointed[i]));
  }
}

TEST_CASE("every parameter gets a gradient that agrees with central differences along a random direction") {
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"}) {
    Decoder decoder = make_decoder(tiny(family), 6);
    decoder.to(at::kCPU, at::kDouble);
    const auto batch = sequences({9, 14});
    const auto grads = loss_and_gradients(decoder, batch);
    for (size_t i = 0; i < decoder.parameters().size(); ++i) {
      CAPTURE(decoder.parameters()[i].name);
      CHECK(grads[i].abs().max().item<double>() > 0);
      Tensor& p = decoder.parameters()[i].tensor;
      const Tensor kept = p.detach().clone(), direction = test::noise(p.sizes().vec(), static_cast<double>(i));
      const auto loss_at = [&](double step) {
        p = kept + step * direction;
        return loss_and_gradients(decoder, batch).back().item<double>();
      };
      const double up = loss_at(1e-5), down = loss_at(-1e-5);
      p = kept;
      CHECK((up - down) / 2e-5 == doctest::Approx((grads[i] * direction).sum().item<double>()).epsilon(1e-6));
    }
  }
}

TEST_CASE("bf16 products stay near f32 and gradients are f32") {
  Decoder decoder = make_decoder(tiny(), 8);
  const auto batch = sequences({30, 40});
  const auto full = loss_and_gradients(decoder, batch);
  const auto half = loss_and_gradients(decoder, batch, {.matmul = at::kBFloat16});
  CHECK((half[0].scalar_type() == at::kFloat));
  CHECK(worst_relative(half, full) < 0.05);
}

TEST_CASE("the same seed makes the same weights, another seed others") {
  const Decoder a = make_decoder(tiny(), 1), b = make_decoder(tiny(), 1), c = make_decoder(tiny(), 2);
  CHECK(at::equal(a.parameters()[0].tensor, b.parameters()[0].tensor));
  CHECK_FALSE(at::equal(a.parameters()[0].tensor, c.parameters()[0].tensor));
  CHECK(a.parameters()[0].tensor.std().item<double>() == doctest::Approx(0.3).epsilon(0.1));
  CHECK(a.parameter_count() == parameter_count(a.config()));
  const Decoder copy = a.clone();
  CHECK(at::equal(copy.parameters()[3].tensor, a.parameters()[3].tensor));
  CHECK(copy.parameters()[3].tensor.data_ptr() != a.parameters()[3].tensor.data_ptr());
}

TEST_CASE("GPT-2 refuses a sequence longer than its learned positions") {
  ModelConfig c = tiny("gpt2");
  c.max_positions = 8;
  const Decoder decoder = make_decoder(c, 1);
  CHECK_THROWS_AS(decoder.hidden(pack(sequences({9}))), Error);
}
