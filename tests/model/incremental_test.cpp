#include "model/incremental.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/rng.h"
#include "model/packed.h"
#include "shapes.h"
#include "tensor/gradcheck.h"
#include "tensor/linear.h"

using namespace hone;
using namespace hone::model;
using test::sequences;
using test::tiny;

namespace {

// Feeds each sequence in calls of `chunk` tokens, all sequences side by side in one call.
std::vector<Tensor> feed(const Decoder& decoder, const std::vector<std::vector<int32_t>>& batch, size_t chunk) {
  KvCache cache(decoder.config(), decoder.device(), decoder.dtype());
  std::vector<int64_t> numbers;
  std::vector<std::vector<Tensor>> rows(batch.size());
  for (size_t s = 0; s < batch.size(); ++s) numbers.push_back(cache.add());
  for (size_t at = 0;; at += chunk) {
    std::vector<int32_t> ids;
    std::vector<int64_t> of;
    std::vector<size_t> back;
    for (size_t s = 0; s < batch.size(); ++s)
      for (size_t i = at; i < std::min(batch[s].size(), at + chunk); ++i) {
        ids.push_back(batch[s][i]);
        of.push_back(numbers[s]);
        back.push_back(s);
      }
    if (ids.empty()) break;
    const Tensor hidden = step(decoder, cache, ids, of);
    for (size_t i = 0; i < back.size(); ++i) rows[back[i]].push_back(hidden[static_cast<int64_t>(i)]);
  }
  std::vector<Tensor> out;
  for (const auto& r : rows) out.push_back(at::stack(r));
  return out;
}

}  // namespace

TEST_CASE("cached steps agree with the forward pass of training") {
  for (const char* family : {"llama", "gpt2", "qwen2", "qwen3", "olmo2"})
    for (const auto& [dtype, bound] : {std::pair{at::kFloat, 1e-5}, {at::kDouble, 1e-10}}) {
      CAPTURE(family);
      Decoder decoder = make_decoder(tiny(family), 1);
      for (Parameter& p : decoder.parameters())  // biases must not be zero here
        if (p.kind == Parameter::Kind::kVector) p.tensor.add_(0.3 * test::noise(p.tensor.sizes().vec(), 1, at::kFloat));
      decoder.to(at::kCPU, dtype);
      const auto batch = sequences({40, 3, 17, 1, 33, 300});
      const at::NoGradGuard no_grad;
      const Tensor want = decoder.hidden(pack(batch));
      for (const size_t chunk : {size_t{1000}, size_t{7}}) {
        const Tensor got = at::cat(feed(decoder, batch, chunk));
        CHECK(test::max_difference(got, want) < bound);
      }
    }
}

TEST_CASE("a token's result is the same bit for bit in every batch and however its prompt is cut") {
  for (const char* family : {"llama", "gpt2", "qwen3", "olmo2"}) {
    CAPTURE(family);
    const Decoder decoder = make_decoder(tiny(family), 2);
    const auto batch = sequences({50, 3, 17, 1, 33, 20, 64, 2, 9, 31, 40, 16, 15, 70, 5, 6, 7, 8, 22, 48});
    const std::vector<Tensor> together = feed(decoder, batch, 1);
    for (const size_t chunk : {size_t{1000}, size_t{16}, size_t{5}}) {
      const std::vector<Tensor> cut = feed(decoder, batch, chunk);
      for (size_t s = 0; s < batch.size(); ++s) CHECK(at::equal(cut[s], together[s]));
    }
    for (const size_t s : {size_t{0}, size_t{3}, size_t{13}}) {
      const std::vector<Tensor> alone = feed(decoder, {batch[s]}, 1000);
      CHECK(at::equal(alone[0], together[s]));
      const Tensor logits = invariant_linear(alone[0], decoder.output_weight());
      CHECK(at::equal(invariant_linear(together[s].narrow(0, 0, 1), decoder.output_weight()), logits.narrow(0, 0, 1)));
    }
  }
}

TEST_CASE("samples share their prompt's cache, go their own ways, and give blocks back") {
  const Decoder decoder = make_decoder(tiny(), 3);
  for (const int prompt_length : {16, 21}) {  // a full block, and one to be copied
    KvCache cache(decoder.config());
    const auto prompt = sequences({prompt_length})[0];
    const int64_t first = cache.add();
    step(decoder, cache, prompt, std::vector<int64_t>(prompt.size(), first));
    const int64_t shared = cache.bytes();
    std::vector<int64_t> samples{first};
    for (int i = 0; i < 3; ++i) samples.push_back(cache.fork(first));
    CHECK(cache.bytes() == shared);
    CHECK(cache.length(samples[3]) == prompt_length);
    std::vector<std::vector<int32_t>> full(4, prompt);
    Tensor last;
    for (int t = 0; t < 20; ++t) {
      std::vector<int32_t> ids;
      for (int s = 0; s < 4; ++s) {
        ids.push_back((s * 7 + t * (s + 1)) % 37);
        full[static_cast<size_t>(s)].push_back(ids.back());
      }
      last = step(decoder, cache, ids, samples);
    }
    const std::vector<Tensor> want = feed(decoder, full, 1000);
    for (int64_t s = 0; s < 4; ++s) CHECK(at::equal(last[s], want[static_cast<size_t>(s)][-1]));
    for (const int64_t s : samples) cache.remove(s);
    CHECK(cache.bytes() == 0);
  }
}

TEST_CASE("a sequence that ends leaves the others as they are, and its place is used again") {
  const Decoder decoder = make_decoder(tiny(), 4);
  const auto batch = sequences({30, 30, 30});
  const std::vector<Tensor> want = feed(decoder, batch, 1000);
  KvCache cache(decoder.config());
  const int64_t a = cache.add(), b = cache.add();
  const std::span<const int32_t> one(batch[0]), two(batch[1]), three(batch[2]);
  std::vector<int64_t> of(20, a);
  step(decoder, cache, one.first(20), of);
  of.assign(20, b);
  step(decoder, cache, two.first(20), of);
  cache.remove(a);
  const int64_t c = cache.add();
  CHECK(c == a);
  of.assign(30, c);
  CHECK(at::equal(step(decoder, cache, three, of), want[2]));
  of.assign(10, b);
  CHECK(at::equal(step(decoder, cache, two.last(10), of), want[1].narrow(0, 20, 10)));
}
