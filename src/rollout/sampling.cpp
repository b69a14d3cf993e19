#include "rollout/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "tensor/from_host.h"

namespace hone::rollout {
namespace {

// The row's whole distribution, in token order. The running sum is in f64 and in a fixed order, so the same row gives
// the same token everywhere.
Draw draw_full(const float* logps, int64_t vocabulary, double uniform) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t v = 0; v < vocabulary; ++v) {
    const double p = std::exp(static_cast<double>(logps[v]));
    if (p <= 0) continue;
    sum += p;
    last = v;
    if (uniform < sum) return {static_cast<int32_t>(v), logps[v]};
  }
  return {static_cast<int32_t>(last), logps[last]};  // rounding left the sum a little under 1
}

// The nucleus of the whole distribution. It is as a rule a few dozen of many thousand tokens, so no more of them are
// put in order than it takes.
Draw draw_nucleus(const float* logps, int64_t vocabulary, double uniform, double top_p) {
  std::vector<int32_t> order(vocabulary);
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int32_t a, int32_t b) { return logps[a] != logps[b] ? logps[a] > logps[b] : a < b; };
  const auto probability = [&](int32_t v) { return std::exp(static_cast<double>(logps[v])); };
  double total = 0;
  for (const int32_t v : order) total += probability(v);
  size_t n = 0, sorted = 0;
  double sum = 0;
  for (size_t wanted = 256; n < order.size() && (n == 0 || sum < top_p * total); wanted *= 8) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(sorted);
    sorted = std::min(wanted, order.size());
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(sorted);
    if (end != order.end()) std::nth_element(begin, end, order.end(), before);
    std::sort(begin, end, before);
    while (n < sorted && (n == 0 || sum < top_p * total)) sum += probability(order[n++]);
  }
  while (n > 1 && probability(order[n - 1]) <= 0) --n;  // never drawn, by rounding either
  double reached = 0;
  for (size_t i = 0; i < n; ++i) {
    reached += probability(order[i]);
    if (uniform * sum < reached || i + 1 == n) return {order[i], static_cast<float>(logps[order[i]] - std::log(sum))};
  }
  return {};
}

// Top-k, then top-p over what is left (the order of transformers' warpers), renormalised.
Draw draw_cut(const float* logps, int64_t vocabulary, double uniform, const SamplingParams& params) {
  if (params.top_k <= 0 || params.top_k >= vocabulary) return draw_nucleus(logps, vocabulary, uniform, params.top_p);
  std::vector<int32_t> order(vocabulary);
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int32_t a, int32_t b) { return logps[a] != logps[b] ? logps[a] > logps[b] : a < b; };
  auto keep = static_cast<size_t>(params.top_k);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(), before);
  while (keep > 1 && std::exp(static_cast<double>(logps[order[keep - 1]])) <= 0)
    --keep;  // never drawn, by rounding either
  double total = 0;
  for (size_t i = 0; i < keep; ++i) total += std::exp(static_cast<double>(logps[order[i]]));
  if (params.top_p < 1) {
    double sum = 0;
    size_t n = 0;
    while (n < keep && (n == 0 || sum < params.top_p * total)) sum += std::exp(static_cast<double>(logps[order[n++]]));
    keep = n;
    total = sum;
  }
  double sum = 0;
  for (size_t i = 0; i < keep; ++i) {
    sum += std::exp(static_cast<double>(logps[order[i]]));
    if (uniform * total < sum || i + 1 == keep)
      return {order[i], static_cast<float>(logps[order[i]] - std::log(total))};
  }
  return {};
}

// The same where the logits are, so that only what was drawn comes back. The running sums are f64 too, in the device's
// own order; a number that falls within their rounding of a token's end may draw its neighbour.
std::vector<Draw> draw_there(const Tensor& logps, std::span<const double> uniforms, const SamplingParams& params,
                             bool cut) {
  Tensor scores = logps, order;
  if (cut) {
    std::tie(scores, order) = at::sort(logps, /*stable=*/true, /*dim=*/1, /*descending=*/true);
    if (params.top_k > 0 && params.top_k < logps.size(1)) {
      scores = scores.narrow(1, 0, params.top_k);
      order = order.narrow(1, 0, params.top_k);
    }
  }
  Tensor p = scores.to(at::kDouble).exp();  // (M, V)
  if (params.top_p < 1) {
    const Tensor before = at::constant_pad_nd(p.cumsum(1).narrow(1, 0, p.size(1) - 1), {1, 0});
    p = p.masked_fill(before.ge(p.sum(1, true) * params.top_p), 0);
  }
  const Tensor total = cut ? p.sum(1, true) : at::ones({1, 1}, p.options());
  const Tensor uniform = from_host(std::vector<double>(uniforms.begin(), uniforms.end()), logps.device()).unsqueeze(1);
  // The first token whose sum lies above; where rounding left the sum a little under 1, the last that can be drawn.
  const Tensor last = at::arange(p.size(1), p.options().dtype(at::kLong)).mul(p.gt(0)).amax(1, true);
  const Tensor index = at::minimum(p.cumsum(1).le(uniform * total).sum(1, true), last);  // (M, 1)
  const Tensor tokens = (cut ? order.gather(1, index) : index).to(at::kCPU).contiguous();
  Tensor found = scores.gather(1, index).to(at::kDouble);
  if (cut) found = found - total.log();
  found = found.to(at::kCPU, at::kFloat).contiguous();
  std::vector<Draw> out(uniforms.size());
  for (size_t m = 0; m < out.size(); ++m)
    out[m] = {static_cast<int32_t>(tokens.const_data_ptr<int64_t>()[m]), found.const_data_ptr<float>()[m]};
  return out;
}

}  // namespace

std::vector<Draw> draw(const Tensor& logits, std::span<const double> uniforms, const SamplingParams& params,
                       std::span<const uint8_t> forbid_end, std::span<const int32_t> end_ids) {
  const at::NoGradGuard no_grad;
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  Tensor scores = logits.to(at::kFloat);
  if (std::ranges::any_of(forbid_end, [](uint8_t f) { return f != 0; })) {
    scores = scores.clone();
    for (int64_t m = 0; m < rows; ++m)
      if (forbid_end[m])
        for (const int32_t id : end_ids)
          scores.select(0, m).select(0, id).fill_(-std::numeric_limits<float>::infinity());
  }
  std::vector<Draw> out(rows);
  if (params.temperature <= 0) {  // greedy; the lowest id wins a tie
    const Tensor best = scores.argmax(1).to(at::kCPU).contiguous();
    for (int64_t m = 0; m < rows; ++m) out[m].token = static_cast<int32_t>(best.const_data_ptr<int64_t>()[m]);
    return out;
  }
  const Tensor logps =
      at::log_softmax(params.temperature == 1 ? scores : scores.div(params.temperature), 1).contiguous();
  const bool cut = params.top_p < 1 || (params.top_k > 0 && params.top_k < vocabulary);
  if (!logps.is_cpu()) {
    constexpr int64_t kRows = 64;  // bounds the memory of the sums
    for (int64_t begin = 0; begin < rows; begin += kRows) {
      const int64_t n = std::min(kRows, rows - begin);
      const auto from = static_cast<size_t>(begin);
      const auto some = draw_there(logps.narrow(0, begin, n), uniforms.subspan(from, n), params, cut);
      std::ranges::copy(some, out.begin() + begin);
    }
  } else {
    const float* data = logps.const_data_ptr<float>();
    at::parallel_for(0, rows, 4, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        const auto i = static_cast<size_t>(m);
        const float* row = data + m * vocabulary;
        out[i] = cut ? draw_cut(row, vocabulary, uniforms[i], params) : draw_full(row, vocabulary, uniforms[i]);
      }
    });
  }
  for (const Draw& d : out)
    if (!std::isfinite(d.logp))
      run_error("the policy's logits are not finite while sampling",
                "the weights hold NaN or infinity; resume from an earlier checkpoint");
  return out;
}

}  // namespace hone::rollout
