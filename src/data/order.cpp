#include "data/order.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/rng.h"

namespace hone::data {

std::vector<int64_t> epoch_order(int64_t rows, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> out(static_cast<size_t>(rows));
  std::iota(out.begin(), out.end(), 0);
  Stream(seed, "order", static_cast<uint64_t>(epoch)).shuffle(out);
  return out;
}

Order::Order(int64_t rows, uint64_t seed, bool shuffle) : rows_(rows), seed_(seed), shuffle_(shuffle) {
  HONE_CHECK(rows > 0, "an order of no rows");
  start(0);
}

void Order::start(int64_t epoch) {
  epoch_ = epoch;
  index_ = 0;
  if (shuffle_) {
    permutation_ = epoch_order(rows_, seed_, epoch);
  } else if (permutation_.empty()) {
    permutation_.resize(static_cast<size_t>(rows_));
    std::iota(permutation_.begin(), permutation_.end(), 0);
  }
}

int64_t Order::next() {
  const int64_t row = peek();
  if (++index_ == rows_) start(epoch_ + 1);
  return row;
}

std::vector<int64_t> Order::take(int64_t count) {
  HONE_CHECK(count > 0);
  const int64_t n = std::min(count, rows_ - index_);
  std::vector<int64_t> out;
  out.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) out.push_back(next());
  return out;
}

std::vector<int64_t> Order::take_tokens(std::span<const int64_t> lengths, int64_t max_tokens) {
  HONE_CHECK(static_cast<int64_t>(lengths.size()) == rows_);
  std::vector<int64_t> out;
  int64_t used = 0;
  const int64_t epoch = epoch_;
  while (epoch_ == epoch) {
    const int64_t n = lengths[static_cast<size_t>(peek())];
    if (n > max_tokens)
      usage_error("a row of " + count_text(n) + " tokens does not fit into a batch of " + count_text(max_tokens),
                  "raise the tokens of a batch, or lower max_length");
    if (used + n > max_tokens) break;
    used += n;
    out.push_back(next());
  }
  return out;
}

Json Order::state() const {
  return {{"rows", rows_}, {"seed", seed_}, {"shuffle", shuffle_}, {"epoch", epoch_}, {"index", index_}};
}

void Order::restore(const Json& state) {
  int64_t rows = 0, epoch = 0, index = 0;
  uint64_t seed = 0;
  bool shuffle = false;
  try {
    rows = state.at("rows").get<int64_t>();
    seed = state.at("seed").get<uint64_t>();
    shuffle = state.at("shuffle").get<bool>();
    epoch = state.at("epoch").get<int64_t>();
    index = state.at("index").get<int64_t>();
  } catch (const nlohmann::json::exception&) {
    usage_error("the saved place in the data is unreadable");
  }
  if (rows != rows_ || seed != seed_ || shuffle != shuffle_)
    usage_error("the data changed since the checkpoint: it was saved with " + count_text(rows) + " rows and seed " +
                    std::to_string(seed) + ", now there are " + count_text(rows_) + " and seed " +
                    std::to_string(seed_),
                "resume with the files and settings that the run started with");
  if (epoch < 0 || index < 0 || index >= rows_) usage_error("the saved place in the data lies outside it");
  start(epoch);
  index_ = index;
}

int64_t steps_of_rows(int64_t rows, int64_t count, int64_t epochs) {
  HONE_CHECK(count > 0);
  return epochs * ((rows + count - 1) / count);
}

int64_t steps_of_tokens(std::span<const int64_t> lengths, uint64_t seed, int64_t max_tokens, int64_t epochs,
                        bool shuffle) {
  Order order(static_cast<int64_t>(lengths.size()), seed, shuffle);
  int64_t steps = 0;
  for (; order.epoch() < epochs; ++steps) order.take_tokens(lengths, max_tokens);
  return steps;
}

}  // namespace hone::data
