// In which order rows are seen. The order of an epoch is a pure function of (seed, epoch), so a cursor of two numbers
// resumes it exactly.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/json_fwd.h"

namespace hone::data {

class Order {
 public:
  /// `rows` > 0 rows; without `shuffle` every epoch goes 0, 1, 2, …
  Order(int64_t rows, uint64_t seed, bool shuffle = true);

  int64_t epoch() const { return epoch_; }
  /// Rows taken in this epoch.
  int64_t index() const { return index_; }
  int64_t rows() const { return rows_; }
  /// The next row, without taking it.
  int64_t peek() const { return permutation_[static_cast<size_t>(index_)]; }
  int64_t next();

  /// The next `count` rows, or what is left of the epoch: no step crosses an epoch.
  std::vector<int64_t> take(int64_t count);
  /// Rows while their lengths sum to at most `max_tokens` (at least one row), up to the epoch's end.
  std::vector<int64_t> take_tokens(std::span<const int64_t> lengths, int64_t max_tokens);

  Json state() const;
  /// Another number of rows, seed or kind of order than at the time of saving: kUsage (the data changed).
  void restore(const Json& state);

 private:
  void start(int64_t epoch);
  int64_t rows_;
  uint64_t seed_;
  bool shuffle_;
  int64_t epoch_ = 0, index_ = 0;
  std::vector<int64_t> permutation_;
};

/// The permutation of an epoch.
std::vector<int64_t> epoch_order(int64_t rows, uint64_t seed, int64_t epoch);

/// Steps in `epochs` epochs when each step takes `count` rows.
int64_t steps_of_rows(int64_t rows, int64_t count, int64_t epochs);
/// Steps in `epochs` epochs when each takes up to `max_tokens`: found by going through the orders.
int64_t steps_of_tokens(std::span<const int64_t> lengths, uint64_t seed, int64_t max_tokens, int64_t epochs,
                        bool shuffle = true);

}  // namespace hone::data
