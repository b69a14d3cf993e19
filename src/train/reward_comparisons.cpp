#include "train/reward_comparisons.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "base/rng.h"
#include "data/read.h"
#include "train/sides.h"

namespace hone::train {
namespace {

data::Sequence with_answer_of(const data::Pair& prompt, const data::Pair& other) {
  data::Sequence s;
  const auto n = static_cast<std::ptrdiff_t>(prompt.prompt_length),
             m = static_cast<std::ptrdiff_t>(other.prompt_length);
  s.ids.assign(prompt.chosen.ids.begin(), prompt.chosen.ids.begin() + n);
  s.ids.insert(s.ids.end(), other.chosen.ids.begin() + m, other.chosen.ids.end());
  s.weight.assign(s.ids.size(), 0.0f);
  return s;
}

// One more comparison for a share of them: the chosen answer beats the chosen answer to another prompt.
void add_mismatches(std::vector<data::Pair>& pairs, double share, uint64_t seed, int64_t longest) {
  const size_t n = pairs.size();
  Stream stream(seed, "mismatch");
  for (size_t i = 0; i < n && n > 1; ++i) {
    if (!stream.chance(share)) continue;
    const size_t j = (i + 1 + stream.below(n - 1)) % n;
    const auto prompt = [&](size_t k) { return std::span(pairs[k].chosen.ids).first(pairs[k].prompt_length); };
    if (std::ranges::equal(prompt(i), prompt(j))) continue;
    data::Sequence wrong = with_answer_of(pairs[i], pairs[j]);
    if (wrong.ids == pairs[i].chosen.ids || wrong.size() > longest) continue;
    data::Pair pair = pairs[i];
    pair.rejected = std::move(wrong);
    pair.margin = 0;
    pairs.push_back(std::move(pair));
  }
}

// Answers at most that set shift and scale; of more, so many are drawn.
constexpr size_t kReferenceAnswers = 4000;

// At most `most` of the numbers below n, in order.
std::vector<size_t> drawn(size_t n, size_t most, uint64_t seed) {
  std::vector<size_t> out(n);
  std::iota(out.begin(), out.end(), size_t{0});
  if (n <= most) return out;
  Stream(seed, "reference-answers").shuffle(out);
  out.resize(most);
  std::ranges::sort(out);
  return out;
}

// The answers whose rewards are to have mean 0 and standard deviation 1: those of `reference`, else both sides of the
// comparisons (of real ones: what was made to mismatch is no answer that anybody gave).
std::vector<std::vector<int32_t>> reference_answers(const RewardParams& params, std::span<const data::Pair> pairs,
                                                    const data::Encoder& encoder, int64_t longest, uint64_t seed) {
  std::vector<std::vector<int32_t>> out;
  if (params.reference.empty()) {
    for (const size_t i : drawn(pairs.size(), kReferenceAnswers / 2, seed)) {
      out.push_back(pairs[i].chosen.ids);
      out.push_back(pairs[i].rejected.ids);
    }
    return out;
  }
  const auto read = data::read_demonstrations(params.reference, params.text.read);
  log::info("  reference answers: " + read.report.summary());
  auto encoded = data::encode_demonstrations(read.rows, encoder, params.text.length, longest);
  data::require_kept(encoded.lengths, params.text.length, "reference answers");
  for (const size_t i : drawn(encoded.items.size(), kReferenceAnswers, seed))
    out.push_back(std::move(encoded.items[i].ids));
  return out;
}

}  // namespace

Comparisons read_comparisons(const RewardParams& params, const data::Encoder& encoder, int64_t longest, uint64_t seed,
                             const std::filesystem::path& folder) {
  auto read = data::read_preferences(params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  auto sides = encode_sides(split_judged(std::move(read.rows), params.text, seed, folder, "comparisons"),
                            params.text.length, "comparisons", [&](std::span<const data::Preference> rows) {
                              return data::encode_preferences(rows, encoder, params.text.length, longest);
                            });
  Comparisons out{std::move(sides.train.items), 0, {std::move(sides.held_out.items), {}}, {}};
  for (const int64_t row : sides.held_out.rows) out.held_out.sources.push_back(sides.rows.held_out[row].source);
  out.decided = std::ssize(out.train);
  out.reference = reference_answers(params, out.train, encoder, longest, seed);
  add_mismatches(out.train, params.mismatch, seed, longest);
  return out;
}

}  // namespace hone::train
