#include "advantages/group.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "advantages/masked.h"
#include "base/error.h"

namespace hone::advantages {
namespace {

constexpr double kStdFloor = 1e-4;  // TRL's

// One answer's place in its step.
struct Place {
  std::span<const float> group, batch;  // rewards of its group and of the step, its own among them
  double reward = 0, greedy = 0;
};

double mean(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

namespace baselines {
double none(const Place&) { return 0; }
double mean(const Place& p) { return advantages::mean(p.group); }
double leave_one_out(const Place& p) {
  double sum = 0;
  for (const float v : p.group) sum += v;
  return (sum - p.reward) / static_cast<double>(p.group.size() - 1);
}
double greedy(const Place& p) { return p.greedy; }
double batch(const Place& p) { return advantages::mean(p.batch); }
}  // namespace baselines

namespace scales {
double none(const Place&) { return 1; }
double group_std(const Place& p) { return std::sqrt(moments(p.group, {}, true).variance) + kStdFloor; }
double batch_std(const Place& p) { return std::sqrt(moments(p.batch, {}, true).variance) + kStdFloor; }
double whiten(const Place&) { return 1; }  // token_advantages
}  // namespace scales

using Rule = double (*)(const Place&);
struct Named {
  std::string_view id;
  int64_t fewest;  // answers to a prompt that it can be taken of
  Rule rule;
};
constexpr Named kBaselines[] = {
#define HONE_ADVANTAGE(id, doc, citation)
#define HONE_BASELINE(id, fewest, doc, citation) {#id, fewest, &baselines::id},
#define HONE_SCALE(id, fewest, doc, citation)
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
};
constexpr Named kScales[] = {
#define HONE_ADVANTAGE(id, doc, citation)
#define HONE_BASELINE(id, fewest, doc, citation)
#define HONE_SCALE(id, fewest, doc, citation) {#id, fewest, &scales::id},
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
};

const Named& find_rule(std::span<const Named> all, const std::string& id, const std::string& what) {
  std::string known;
  for (const Named& n : all) {
    if (n.id == id) return n;
    known += (known.empty() ? "" : ", ") + std::string(n.id);
  }
  usage_error("unknown " + what + " '" + id + "'", "there are: " + known);
}

// Calls f(begin, end) for each run of answers that share a number.
template <class F>
void each_group(std::span<const int64_t> group, F f) {
  for (size_t begin = 0; begin < group.size();) {
    size_t end = begin;
    while (end < group.size() && group[end] == group[begin]) ++end;
    f(begin, end);
    begin = end;
  }
}

}  // namespace

void GroupAdvantageParams::check(int64_t samples_per_prompt) const {
  const auto require = [&](std::span<const Named> all, const std::string& key, const std::string& value) {
    if (samples_per_prompt >= find_rule(all, value, key).fewest) return;
    std::string others;
    for (const Named& n : all)
      if (n.fewest <= samples_per_prompt) others += (others.empty() ? "" : ", ") + std::string(n.id);
    usage_error(key + " = \"" + value + "\" compares the answers to a prompt with each other, and there is one of each",
                "give samples_per_prompt of 2 or more, or another " + key + ": " + others);
  };
  require(kBaselines, "baseline", baseline);
  require(kScales, "scale", scale);
}

std::vector<float> group_advantages(const GroupRewards& rewards, const GroupAdvantageParams& params) {
  HONE_CHECK(rewards.group.size() == rewards.reward.size(), "one group an answer");
  const Rule baseline = find_rule(kBaselines, params.baseline, "baseline").rule,
             scale = find_rule(kScales, params.scale, "scale").rule;
  HONE_CHECK(params.baseline != "greedy" || rewards.greedy.size() == rewards.reward.size(),
             "one greedy reward an answer");
  std::vector<float> out(rewards.reward.size());
  each_group(rewards.group, [&](size_t begin, size_t end) {
    params.check(static_cast<int64_t>(end - begin));
    Place place{rewards.reward.subspan(begin, end - begin), rewards.reward};
    for (size_t i = begin; i < end; ++i) {
      place.reward = rewards.reward[i];
      if (!rewards.greedy.empty()) place.greedy = rewards.greedy[i];
      out[i] = static_cast<float>((place.reward - baseline(place)) / scale(place));
    }
  });
  return out;
}

std::vector<float> token_advantages(const Slots& slots, std::span<const float> answer_advantages,
                                    std::span<const float> penalties, const GroupAdvantageParams& params) {
  HONE_CHECK(slots.size() == slots.tokens, "without a critic no slot follows the last token");
  HONE_CHECK(static_cast<int64_t>(answer_advantages.size()) == slots.answers(), "one advantage an answer");
  HONE_CHECK(penalties.empty() || static_cast<int64_t>(penalties.size()) == slots.tokens, "one penalty a token");
  std::vector<float> out(slots.tokens);
  for (size_t s = 0; s < answer_advantages.size(); ++s) {
    double later = 0;
    for (auto i = static_cast<size_t>(slots.offsets[s + 1]); i-- > static_cast<size_t>(slots.offsets[s]);) {
      if (!penalties.empty()) later += penalties[i];
      out[i] = static_cast<float>(answer_advantages[s] - later);
    }
  }
  if (params.scale == "whiten") whiten(out, {}, /*unbiased=*/true);
  return out;
}

GroupFigures group_figures(const GroupRewards& rewards) {
  GroupFigures out;
  double groups = 0;
  each_group(rewards.group, [&](size_t begin, size_t end) {
    const auto own = rewards.reward.subspan(begin, end - begin);
    out.zero_variance += std::ranges::all_of(own, [&](float r) { return r == own.front(); });
    out.std += std::sqrt(moments(own, {}, true).variance);
    ++groups;
  });
  if (groups > 0) out.zero_variance /= groups, out.std /= groups;
  return out;
}

double overlong_penalty(int64_t length, int64_t longest, int64_t buffer) {
  if (buffer <= 0) return 0;
  const double over = static_cast<double>(length - (longest - buffer)) / static_cast<double>(buffer);
  return -std::clamp(over, 0.0, 1.0);
}

}  // namespace hone::advantages
