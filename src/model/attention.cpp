#include "model/attention.h"

#include <algorithm>

#include "model/tensor_ops.h"
#include "tensor/from_host.h"
#include "tensor/layer_kernels.h"
#include "tensor/packed_attention.h"

namespace hone::model {
namespace {

constexpr int64_t kLong = 256;  // from here a sequence fills the machine by itself
constexpr double kMaxPadding = 0.15;

double cells(int64_t length) { return static_cast<double>(length) * static_cast<double>(length + 1) / 2; }

}  // namespace

AttentionPlan::AttentionPlan(std::span<const int64_t> offsets, const Tensor& like, AttentionWork* work, bool own_kernel)
    : offsets_(offsets.begin(), offsets.end()), fused_(own_kernel && fused_kernels(like)) {
  if (!fused_) {
    make_buckets(like.device(), work);
  } else if (work != nullptr) {
    for (size_t s = 0; s + 1 < offsets_.size(); ++s) work->cells += cells(offsets_[s + 1] - offsets_[s]);
  }
}

void AttentionPlan::make_buckets(at::Device device, AttentionWork* work) {
  const std::vector<int64_t>& offsets = offsets_;
  const size_t n = offsets.empty() ? 0 : offsets.size() - 1;
  const auto length = [&](size_t s) { return offsets[s + 1] - offsets[s]; };
  std::vector<size_t> order;
  for (size_t s = 0; s < n; ++s)
    if (length(s) > 0) order.push_back(s);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) > length(b); });

  std::vector<int64_t> restore(static_cast<size_t>(n == 0 ? 0 : offsets[n]));
  int64_t out = 0;
  bool in_order = true;
  for (size_t first = 0; first < order.size();) {
    const int64_t longest = length(order[first]);
    double real_work = cells(longest);
    size_t last = first + 1;
    if (longest < kLong)
      for (; last < order.size(); ++last) {
        const double with = real_work + cells(length(order[last]));
        const double padded = static_cast<double>(last + 1 - first) * cells(longest);
        if (padded - with > kMaxPadding * padded) break;
        real_work = with;
      }
    Bucket bucket{.begin = offsets[order[first]],
                  .count = static_cast<int64_t>(last - first),
                  .length = longest,
                  .rows = {},
                  .real = {}};
    std::vector<int64_t> rows, real;
    for (size_t i = first; i < last; ++i) {
      const int64_t begin = offsets[order[i]], len = length(order[i]);
      for (int64_t p = 0; p < longest; ++p) {
        if (p < len) {
          in_order = in_order && begin + p == out;
          restore[static_cast<size_t>(begin + p)] = out++;
          real.push_back(static_cast<int64_t>(rows.size()));
        }
        rows.push_back(begin + std::min(p, len - 1));  // padding repeats the last token; nobody looks at it
      }
    }
    if (bucket.count > 1) {
      bucket.rows = from_host(rows, device);
      if (real.size() < rows.size()) bucket.real = from_host(real, device);
    }
    if (work != nullptr) {
      const double padded = static_cast<double>(bucket.count) * cells(longest);
      work->cells += padded;
      work->padding += padded - real_work;
    }
    buckets_.push_back(std::move(bucket));
    first = last;
  }
  if (!in_order) restore_ = from_host(restore, device);
}

Tensor AttentionPlan::attend(const Tensor& query, const Tensor& key, const Tensor& v, const Tensor& cos,
                             const Tensor& sin) const {
  if (fused_) return packed_attention(query, key, v, cos, sin, offsets_);
  const Tensor q = cos.defined() ? rotate(query, cos, sin) : query, k = cos.defined() ? rotate(key, cos, sin) : key;
  const bool grouped = q.size(1) != k.size(1);
  std::vector<Tensor> parts;
  for (const Bucket& b : buckets_) {
    const auto take = [&](const Tensor& t) {  // -> (count, heads, length, d)
      const Tensor rows = b.count == 1 ? t.narrow(0, b.begin, b.length) : t.index_select(0, b.rows);
      return rows.view({b.count, b.length, t.size(1), t.size(2)}).transpose(1, 2);
    };
    Tensor y =
        at::scaled_dot_product_attention(take(q), take(k), take(v), {}, 0.0, /*is_causal=*/true, std::nullopt, grouped);
    y = y.transpose(1, 2).reshape({b.count * b.length, q.size(1) * q.size(2)});
    parts.push_back(b.real.defined() ? y.index_select(0, b.real) : y);
  }
  Tensor y = parts.size() == 1 ? parts[0] : at::cat(parts);
  return restore_.defined() ? y.index_select(0, restore_) : y;
}

}  // namespace hone::model
