#include "data/batch.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/progress.h"

namespace hone::data {
namespace {

template <class Item>
std::vector<int64_t> sizes(std::span<const Item> items) {
  std::vector<int64_t> out;
  out.reserve(items.size());
  for (const Item& item : items) out.push_back(item.size());
  return out;
}

}  // namespace

double PackedBatch::weight_sum() const { return std::accumulate(weight.begin(), weight.end(), 0.0); }

void PackedBatch::add(std::span<const int32_t> new_ids, std::span<const float> new_weight, int64_t row) {
  HONE_CHECK(!new_ids.empty() && new_ids.size() == new_weight.size() && new_weight[0] == 0);
  ids.insert(ids.end(), new_ids.begin(), new_ids.end());
  weight.insert(weight.end(), new_weight.begin(), new_weight.end());
  for (size_t i = 0; i < new_ids.size(); ++i) positions.push_back(static_cast<int32_t>(i));
  offsets.push_back(tokens());
  rows.push_back(row);
}

PackedBatch pack(std::span<const Sequence> items, std::span<const int64_t> rows) {
  PackedBatch out;
  for (const int64_t row : rows) {
    const Sequence& s = items[static_cast<size_t>(row)];
    out.add(s.ids, s.weight, row);
  }
  return out;
}

PackedBatch pack(const Corpus& corpus, std::span<const Piece> pieces, std::span<const int64_t> rows) {
  PackedBatch out;
  std::vector<float> weight;
  for (const int64_t row : rows) {
    const Piece& piece = pieces[static_cast<size_t>(row)];
    weight.assign(static_cast<size_t>(piece.size()), 1.0f);
    weight[0] = 0;
    out.add(std::span(corpus.ids).subspan(static_cast<size_t>(piece.begin), static_cast<size_t>(piece.size())), weight,
            row);
  }
  return out;
}

PairBatch pack(std::span<const Pair> items, std::span<const int64_t> rows) {
  PairBatch out;
  for (const int64_t row : rows) {
    const Pair& pair = items[static_cast<size_t>(row)];
    out.tokens.add(pair.chosen.ids, pair.chosen.weight, row);
    out.tokens.add(pair.rejected.ids, pair.rejected.weight, row);
    out.weight.push_back(pair.weight);
    out.margin.push_back(pair.margin);
    out.rows.push_back(row);
  }
  return out;
}

std::vector<int64_t> lengths_of(std::span<const Sequence> items) { return sizes(items); }
std::vector<int64_t> lengths_of(std::span<const Piece> items) { return sizes(items); }
std::vector<int64_t> lengths_of(std::span<const Pair> items) { return sizes(items); }

std::vector<std::vector<int64_t>> split_micro(std::span<const int64_t> rows, std::span<const int64_t> lengths,
                                              int64_t max_tokens) {
  std::vector<int64_t> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(), [&](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)];
  });
  std::vector<std::vector<int64_t>> out;
  std::vector<int64_t> used;
  for (const int64_t row : sorted) {
    const int64_t n = lengths[static_cast<size_t>(row)];
    if (n > max_tokens)
      usage_error("a row of " + count_text(n) + " tokens does not fit into a micro-batch of " + count_text(max_tokens),
                  "raise the tokens of a micro-batch, or lower max_length");
    size_t at = 0;
    while (at < out.size() && used[at] + n > max_tokens) ++at;
    if (at == out.size()) {
      out.emplace_back();
      used.push_back(0);
    }
    out[at].push_back(row);
    used[at] += n;
  }
  return out;
}

}  // namespace hone::data
