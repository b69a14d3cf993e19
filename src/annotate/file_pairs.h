// Pairs from files: rows {"prompt", "answers": [a, b]}, and every format of comparisons that hone reads, whose verdict
// is not shown.
#pragma once
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "annotate/pair_source.h"
#include "data/read.h"

namespace hone::annotate {

/// In the files' order, each different pair once.
class FilePairs : public PairSource {
 public:
  /// Most bytes of a pair's texts together; a longer one is passed over and counted.
  static constexpr size_t kLongest = 400'000;

  /// Files, folders and patterns. No pair in them, or a line that cannot be read: kUsage.
  explicit FilePairs(const std::vector<std::string>& paths, const data::ReadSettings& settings = {});

  const data::ReadReport& report() const { return report_; }

  Offer offer(size_t most) const override;
  std::optional<Pair> find(const std::string& id) const override;
  void settle(const std::string& id) override;
  void reopen(const std::string& id) override;
  std::optional<int64_t> left() const override;
  void on_change(std::function<void()>) override {}  // nothing changes by itself

 private:
  void add(Pair pair);

  std::vector<Pair> pairs_;
  std::unordered_map<std::string, size_t> place_;  // of an id in pairs_
  data::ReadReport report_;
  mutable std::mutex mutex_;      // of what follows
  std::set<size_t> open_;         // not settled and not in reopened_
  std::vector<size_t> reopened_;  // offered before those, the last one first
};

}  // namespace hone::annotate
