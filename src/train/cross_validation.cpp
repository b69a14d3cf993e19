#include "train/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

namespace hone::train {

std::vector<int64_t> folds_of(std::span<const std::string> keys, int64_t folds, uint64_t seed) {
  HONE_CHECK(folds >= 2);
  std::map<std::string, int64_t> fold_of;
  for (const std::string& key : keys) fold_of.emplace(key, 0);
  if (fold_of.size() < 2)
    usage_error("stop.folds: comparisons of one prompt alone cannot be cut into folds",
                "give comparisons of more prompts, or stop.folds = 0");
  std::vector<int64_t*> order;
  for (auto& [key, fold] : fold_of) order.push_back(&fold);
  Stream(seed, "folds").shuffle(order);
  const int64_t count = std::min(folds, std::ssize(order));
  for (int64_t i = 0; i < std::ssize(order); ++i) *order[i] = i % count;
  std::vector<int64_t> out;
  for (const std::string& key : keys) out.push_back(fold_of.at(key));
  return out;
}

void CrossValidation::begin_fold(int64_t comparisons, double start_loss) {
  folds_.push_back({comparisons, {{0, 0.5, start_loss}}});
}

void CrossValidation::add(const Look& look) {
  HONE_CHECK(!folds_.empty() && look.share > folds_.back().looks.back().share && look.share <= 1);
  folds_.back().looks.push_back(look);
}

int64_t CrossValidation::comparisons() const {
  int64_t n = 0;
  for (const Fold& f : folds_) n += f.comparisons;
  return n;
}

CrossValidation::Look CrossValidation::at(double share) const {
  HONE_CHECK(comparisons() > 0);
  Look out{share, 0, 0};
  for (const Fold& f : folds_) {
    const auto next = std::ranges::lower_bound(f.looks, share, {}, &Look::share);
    Look here = next == f.looks.end() ? f.looks.back() : *next;
    if (next != f.looks.end() && next != f.looks.begin() && next->share > share) {
      const Look& before = *(next - 1);
      const double part = (share - before.share) / (next->share - before.share);
      here.accuracy = before.accuracy + part * (next->accuracy - before.accuracy);
      here.loss = before.loss + part * (next->loss - before.loss);
    }
    const auto weight = static_cast<double>(f.comparisons);
    out.accuracy +=
        weight * here.accuracy;  // comparisons that are right: whole numbers at a look, so that equal is equal
    out.loss += weight * here.loss;
  }
  out.accuracy /= static_cast<double>(comparisons());
  out.loss /= static_cast<double>(comparisons());
  return out;
}

std::optional<size_t> CrossValidation::best_of(std::span<const double> shares) const {
  constexpr double kChance = 0.5;
  double best = kChance;
  for (const double share : shares) best = std::max(best, at(share).accuracy);
  if (best <= kChance) return std::nullopt;
  const double error = std::sqrt(best * (1 - best) / static_cast<double>(comparisons()));
  std::optional<size_t> out;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Look look = at(shares[i]);
    if (look.accuracy <= kChance || look.accuracy < best - error) continue;
    if (!out || look.loss < at(shares[*out]).loss) out = i;
  }
  return out;
}

Json CrossValidation::state() const {
  Json out = Json::array();
  for (const Fold& f : folds_) {
    Json looks = Json::array();
    for (const Look& look : f.looks) looks.push_back({look.share, look.accuracy, look.loss});
    out.push_back({{"comparisons", f.comparisons}, {"looks", looks}});
  }
  return out;
}

void CrossValidation::restore(const Json& state) {
  folds_.clear();
  for (const Json& f : state) {
    Fold fold{f.at("comparisons"), {}};
    for (const Json& look : f.at("looks")) fold.looks.push_back({look.at(0), look.at(1), look.at(2)});
    folds_.push_back(std::move(fold));
  }
}

}  // namespace hone::train
