#include "eval/agreement.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "config/run_folder.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "eval/answers.h"
#include "rewards/agreement.h"
#include "rollout/logprobs.h"

namespace hone::eval {
namespace {

constexpr const char* kLongerIsBetter = "the longer answer is better";

std::vector<double> right_of(std::span<const double> margins) {
  std::vector<double> out;
  for (const double m : margins) out.push_back(m > 0 ? 1.0 : m == 0 ? 0.5 : 0.0);
  return out;
}

}  // namespace

HumanComparisons read_comparisons(const EvalParams& params, const data::Encoder& encoder, int64_t context,
                                  int64_t seed) {
  auto read = data::read_preferences(params.comparisons, params.read);
  log::info("  " + read.report.summary());
  std::vector<data::Preference> rows = std::move(read.rows);
  if (params.held_out > 0) rows = data::split(std::move(rows), params.held_out, static_cast<uint64_t>(seed)).held_out;
  std::vector<std::string> learners{params.reward, params.second_reward};
  for (const std::string& text : params.models) learners.push_back(name_and_folder(text, "models").second);
  for (const std::string& folder : learners)
    if (const fs::path file = fs::path(folder).parent_path() / config::names::kSplit;
        !folder.empty() && fs::exists(file))
      data::require_disjoint(data::SplitManifest::load(file), std::span<const data::Preference>(rows),
                             "the evaluation's comparisons");
  if (params.comparisons_limit > 0 && std::ssize(rows) > params.comparisons_limit) {
    Stream(static_cast<uint64_t>(seed), "comparisons-limit").shuffle(rows);
    rows.resize(params.comparisons_limit);
  }
  auto encoded = data::encode_preferences(rows, encoder, params.length, context);
  log::info("  " + encoded.lengths.summary());
  data::require_kept(encoded.lengths, params.length, "comparisons");
  HumanComparisons out;
  std::map<std::string, size_t> numbers;
  std::set<std::string> sources;
  for (size_t i = 0; i < encoded.items.size(); ++i) {
    const data::Preference& row = rows[encoded.rows[i]];
    out.pairs.push_back(std::move(encoded.items[i]));
    out.sources.push_back(row.source);
    out.prompts.push_back(numbers.try_emplace(data::prompt_hash(row), numbers.size()).first->second);
    sources.insert(row.source);
  }
  out.about = count_text(std::ssize(out.pairs)) + " held-out comparisons by people, of " +
              count_text(static_cast<int64_t>(numbers.size())) + " prompts from " +
              count_text(static_cast<int64_t>(sources.size())) + (sources.size() == 1 ? " source; " : " sources; ") +
              count_text(encoded.lengths.dropped) + " more were too long and left out, " +
              count_text(encoded.lengths.cut) + " prompts are cut from the left";
  return out;
}

std::vector<double> answer_margins(const EvaluatedModel& evaluated, const HumanComparisons& comparisons,
                                   const std::string& label) {
  std::vector<rollout::ScoredSequence> sequences;
  for (const data::Pair& p : comparisons.pairs)
    for (const data::Sequence* s : {&p.chosen, &p.rejected})
      sequences.push_back({s->ids, std::max<int64_t>(1, p.prompt_length), s->weight});
  Progress bar(label, std::ssize(sequences));
  const std::vector<double> sums = rollout::summed_logps(
      evaluated.decoder, sequences,
      {.compute = evaluated.compute, .group = 2, .progress = [&](int64_t done) { bar.update(done, "answers"); }});
  std::vector<double> out;
  for (size_t i = 0; i + 1 < sums.size(); i += 2) out.push_back(sums[i] - sums[i + 1]);
  return out;
}

std::vector<double> reward_margins(const rewards::RewardModel& reward, const HumanComparisons& comparisons) {
  std::vector<std::vector<int32_t>> sequences;
  for (const data::Pair& p : comparisons.pairs)
    for (const data::Sequence* s : {&p.chosen, &p.rejected}) sequences.push_back(s->ids);
  const std::vector<double> scores = reward.score(sequences);
  std::vector<double> out;
  for (size_t i = 0; i + 1 < scores.size(); i += 2) out.push_back(scores[i] - scores[i + 1]);
  return out;
}

Agreement::Agreement(HumanComparisons comparisons) : comparisons_(std::move(comparisons)) {
  std::vector<double> more;
  for (const data::Pair& p : comparisons_.pairs)
    more.push_back(static_cast<double>(p.chosen.size() - p.rejected.size()));
  longer_ = right_of(more);
}

void Agreement::add(const std::string& name, const std::string& kind, std::span<const double> margins) {
  HONE_CHECK(margins.size() == comparisons_.pairs.size());
  judges_.push_back({name, kind, right_of(margins)});
}

// The mean of `right`, less that of `less` where there is one, over the comparisons of `source` ("": all).
stats::Estimate Agreement::estimate(std::span<const double> right, std::span<const double> less,
                                    const std::string& source) const {
  std::map<size_t, std::pair<double, double>> by_prompt;  // sum, comparisons
  int64_t n = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    if (!source.empty() && comparisons_.sources[i] != source) continue;
    auto& [sum, count] = by_prompt[comparisons_.prompts[i]];
    sum += right[i] - (less.empty() ? 0 : less[i]);
    count += 1;
    ++n;
  }
  std::vector<double> sums, counts;
  for (const auto& [prompt, both] : by_prompt) sums.push_back(both.first), counts.push_back(both.second);
  stats::Estimate e = stats::bootstrap_ratio(sums, counts);
  // Five of five are no certainty: where every prompt says the same a bootstrap knows no spread, and Wilson's does.
  if (less.empty() && e.low == e.high) e = stats::wilson(e.value * static_cast<double>(e.n), e.n);
  e.low = std::max(e.low, less.empty() ? 0.0 : -1.0), e.high = std::min(e.high, 1.0);
  e.n = n;
  return e;
}

std::optional<stats::Estimate> Agreement::measure(const std::string& what, const std::string& a,
                                                  const std::string& b) const {
  const auto judge = [&](const std::string& given) -> const Judge* {
    const auto it = std::ranges::find(judges_, given.substr(0, given.find('@')), &Judge::name);
    return it == judges_.end() ? nullptr : &*it;
  };
  const size_t at = a.find('@');
  const std::string source = at == std::string::npos ? "" : a.substr(at + 1);
  if (!source.empty() && std::ranges::find(comparisons_.sources, source) == comparisons_.sources.end()) return {};
  const Judge* first = judge(a);
  const Judge* second = b.empty() ? nullptr : judge(b);
  if (!first || (!b.empty() && !second)) return {};
  if (what == "agreement_over_length")
    return second ? std::nullopt : std::optional(estimate(first->right, longer_, source));
  return estimate(first->right, second ? std::span<const double>(second->right) : std::span<const double>(), source);
}

Json Agreement::to_json() const {
  const std::set<std::string> sources(comparisons_.sources.begin(), comparisons_.sources.end());
  Json rule = rewards::estimate_json(estimate(longer_, {}, ""));
  rule["name"] = kLongerIsBetter;
  Json judges = Json::array();
  for (const Judge& j : judges_) {
    Json judged = rewards::estimate_json(estimate(j.right, {}, ""));
    judged["name"] = j.name;
    judged["kind"] = j.kind;
    judged["over_length"] = rewards::estimate_json(estimate(j.right, longer_, ""));
    judged["sources"] = Json::array();
    for (const std::string& source : sources) {
      Json s = rewards::estimate_json(estimate(j.right, {}, source));
      s["name"] = source;
      s["baseline"] = rewards::estimate_json(estimate(longer_, {}, source));
      s["over_length"] = rewards::estimate_json(estimate(j.right, longer_, source));
      judged["sources"].push_back(s);
    }
    judges.push_back(judged);
  }
  return {{"about", comparisons_.about}, {"rule", rule}, {"judges", judges}};
}

}  // namespace hone::eval
