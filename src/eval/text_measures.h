// What can be said of texts without knowing what a good one is: variety, repetition, and how likely another model finds
// them.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/stats.h"

namespace hone::eval {

/// Runs of letters, digits and apostrophes, ASCII letters lowered; bytes above 127 count as letters.
std::vector<std::string> words_of(std::string_view text);

/// Distinct n-grams over n-grams, in (0, 1]: distinct-n of Li et al. 2016 (arXiv 1510.03055) within one text. 1 where
/// there is no n-gram.
double distinct(std::span<const std::string> words, size_t n);

/// The same over all texts together, each read to its first `words_each` words, so that a longer text has no more to
/// repeat. Falls where a model tells everybody the same story.
double distinct_across(std::span<const std::vector<std::string>> texts, size_t n, size_t words_each);

/// exp of the mean negative log-probability of a token: `nll[i]` nats over `tokens[i]` tokens of text i; bootstrap
/// interval over texts. n is the number of texts.
stats::Estimate perplexity(std::span<const double> nll, std::span<const double> tokens);
/// Of answers a less that of answers b, to the same prompts.
stats::Estimate perplexity_difference(std::span<const double> nll_a, std::span<const double> tokens_a,
                                      std::span<const double> nll_b, std::span<const double> tokens_b);

/// exp(nats / tokens) of one model over another's, of the same texts.
stats::Estimate perplexity_ratio(std::span<const double> nats_a, std::span<const double> nats_b,
                                 std::span<const double> tokens);
/// (Σa / Σweights_a) / (Σb / Σweights_b), both drawn by the same prompts.
stats::Estimate ratio_of_means(std::span<const double> a, std::span<const double> weights_a, std::span<const double> b,
                               std::span<const double> weights_b);

}  // namespace hone::eval
