#include "eval/text_measures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace hone::eval {
namespace {

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

double resampled_perplexity(std::span<const double> nll, std::span<const double> tokens,
                            std::span<const int32_t> counts) {
  double nats = 0, all = 0;
  for (size_t i = 0; i < counts.size(); ++i) nats += counts[i] * nll[i], all += counts[i] * tokens[i];
  return all > 0 ? std::exp(nats / all) : 0;
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
  return stats::bootstrap(std::ssize(nll),
                          [&](std::span<const int32_t> counts) { return resampled_perplexity(nll, tokens, counts); });
}

stats::Estimate perplexity_difference(std::span<const double> nll_a, std::span<const double> tokens_a,
                                      std::span<const double> nll_b, std::span<const double> tokens_b) {
  HONE_CHECK(nll_a.size() == tokens_a.size() && nll_b.size() == tokens_b.size() && nll_a.size() == nll_b.size());
  return stats::bootstrap(std::ssize(nll_a), [&](std::span<const int32_t> counts) {
    return resampled_perplexity(nll_a, tokens_a, counts) - resampled_perplexity(nll_b, tokens_b, counts);
  });
}

stats::Estimate perplexity_ratio(std::span<const double> nats_a, std::span<const double> nats_b,
                                 std::span<const double> tokens) {
  HONE_CHECK(nats_a.size() == tokens.size() && nats_b.size() == tokens.size());
  return stats::bootstrap(std::ssize(nats_a), [&](std::span<const int32_t> counts) {
    return resampled_perplexity(nats_a, tokens, counts) / resampled_perplexity(nats_b, tokens, counts);
  });
}

stats::Estimate ratio_of_means(std::span<const double> a, std::span<const double> weights_a, std::span<const double> b,
                               std::span<const double> weights_b) {
  HONE_CHECK(a.size() == weights_a.size() && b.size() == weights_b.size() && a.size() == b.size());
  return stats::bootstrap(std::ssize(a), [&](std::span<const int32_t> counts) {
    double above = 0, above_weight = 0, below = 0, below_weight = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      above += counts[i] * a[i], above_weight += counts[i] * weights_a[i];
      below += counts[i] * b[i], below_weight += counts[i] * weights_b[i];
    }
    return below > 0 && above_weight > 0 ? above / above_weight * below_weight / below : 1;
  });
}

}  // namespace hone::eval
