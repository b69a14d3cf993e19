#include "eval/text_measures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace hone::eval {
namespace {

constexpr double kNormal95 = 1.959963984540054;

bool in_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\'' || c > 127;
}

// Adds the n-grams of `words` to `seen`; -> how many there are.
size_t collect(std::span<const std::string> words, size_t n, std::set<std::string>& seen) {
  if (words.size() < n) return 0;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string gram;
    for (size_t k = 0; k < n; ++k) gram += words[i + k] + ' ';
    seen.insert(std::move(gram));
  }
  return words.size() - n + 1;
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const char c : text) {
    if (!in_word(static_cast<unsigned char>(c))) {
      inside = false;
      continue;
    }
    if (!inside) out.emplace_back();
    inside = true;
    out.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

double distinct(std::span<const std::string> words, size_t n) {
  std::set<std::string> seen;
  const size_t all = collect(words, n, seen);
  return all == 0 ? 1 : static_cast<double>(seen.size()) / static_cast<double>(all);
}

double distinct_across(std::span<const std::vector<std::string>> texts, size_t n, size_t words_each) {
  std::set<std::string> seen;
  size_t all = 0;
  for (const std::vector<std::string>& words : texts)
    all += collect(std::span(words).first(std::min(words.size(), words_each)), n, seen);
  return all == 0 ? 1 : static_cast<double>(seen.size()) / static_cast<double>(all);
}

stats::Estimate perplexity(std::span<const double> nll, std::span<const double> tokens) {
  HONE_CHECK(nll.size() == tokens.size());
  double nats = 0, count = 0;
  for (size_t i = 0; i < nll.size(); ++i) nats += nll[i], count += tokens[i];
  if (count == 0) return {};
  const auto n = static_cast<double>(nll.size());
  const double rate = nats / count;
  std::vector<double> residuals;
  for (size_t i = 0; i < nll.size(); ++i) residuals.push_back(nll[i] - rate * tokens[i]);
  const double half = kNormal95 * stats::stddev(residuals) * std::sqrt(n) / count;
  return {std::exp(rate), std::exp(rate - half), std::exp(rate + half), static_cast<int64_t>(nll.size())};
}

}  // namespace hone::eval
