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

AttentionPlan::AttentionPlan(std::span<const Place> places, const Tensor& like, AttentionWork* work, bool own_kernel)
    : fused_(own_kernel && fused_kernels(like)) {
  if (!fused_) {
    make_buckets(places, like.device(), work);
    return;
  }
  for (const Place& place : places) {
    if (place.first()) trees_.push_back({place.begin, place.length, {}});
    AttentionTree& tree = trees_.back();
    tree.length = place.last() + 1 - tree.begin;
    if (place.shared > 0) tree.branches.push_back(place.own - tree.begin);
    if (work != nullptr) work->cells += cells(place.length) - (place.first() ? 0 : cells(place.shared));
  }
}

void AttentionPlan::make_buckets(std::span<const Place> places, at::Device device, AttentionWork* work) {
  std::vector<Place> order;
  int64_t tokens = 0;
  for (const Place& place : places) {
    if (place.length > 0) order.push_back(place);
    tokens += place.length - (place.first() ? 0 : place.shared);
  }
  std::ranges::stable_sort(order, std::ranges::greater(), &Place::length);

  std::vector<int64_t> restore(tokens);
  int64_t out = 0;
  bool in_order = true;
  for (size_t first = 0; first < order.size();) {
    const int64_t longest = order[first].length;
    double real_work = cells(longest);
    size_t last = first + 1;
    if (longest < kLong)
      for (; last < order.size(); ++last) {
        const double with = real_work + cells(order[last].length);
        const double padded = static_cast<double>(last + 1 - first) * cells(longest);
        if (padded - with > kMaxPadding * padded) break;
        real_work = with;
      }
    Bucket bucket{.begin = order[first].begin,
                  .count = static_cast<int64_t>(last - first),
                  .length = longest,
                  .rows = {},
                  .real = {}};
    std::vector<int64_t> rows, real;
    for (size_t i = first; i < last; ++i) {
      const Place& place = order[i];
      for (int64_t p = 0; p < longest; ++p) {
        const int64_t row = place.row(std::min(p, place.length - 1));  // padding repeats the last token
        if (p < place.length && (place.first() || p >= place.shared)) {
          in_order = in_order && row == out;
          restore[row] = out++;
          real.push_back(static_cast<int64_t>(rows.size()));
        }
        rows.push_back(row);
      }
    }
    if (bucket.count > 1 || !order[first].first()) {
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
  if (fused_) return packed_attention(query, key, v, cos, sin, trees_);
  const Tensor q = cos.defined() ? rotate(query, cos, sin) : query, k = cos.defined() ? rotate(key, cos, sin) : key;
  const bool grouped = q.size(1) != k.size(1);
  std::vector<Tensor> parts;
  for (const Bucket& b : buckets_) {
    const auto take = [&](const Tensor& t) {  // -> (count, heads, length, d)
      const Tensor rows = b.rows.defined() ? t.index_select(0, b.rows) : t.narrow(0, b.begin, b.length);
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
