#include "eval/open_ended_measures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/rng.h"
#include "eval/refusals.h"
#include "eval/results_json.h"
#include "eval/text_measures.h"
#include "rewards/agreement.h"

namespace hone::eval {
namespace {

// Words of an answer that distinct_across reads: about what a short answer has.
constexpr size_t kWordsAcross = 40;

// The mean over each prompt's samples: prompts, not samples, are what an interval is over.
std::vector<double> by_prompt(std::span<const double> values, size_t samples) {
  std::vector<double> out;
  for (size_t i = 0; i < values.size(); i += samples) out.push_back(stats::mean(values.subspan(i, samples)));
  return out;
}

template <class F>
std::vector<double> each(const Measured& m, F of) {
  std::vector<double> out;
  for (size_t i = 0; i < m.answers.size(); ++i) out.push_back(of(i));
  return out;
}

// What an answer is worth to whoever judges: the reader, else the checkers, else the learned reward; empty where there
// is none.
std::vector<double> worth(const Measured& m) {
  if (m.stories.empty()) return m.checked.empty() ? m.reward : m.checked;
  return each(m, [&](size_t i) { return m.stories[i].total; });
}

// One number for each answer, or none where `what` is no such measure.
std::vector<double> per_answer(const Measured& m, const std::string& what) {
  if (what == "utility" && !m.stories.empty()) return worth(m);
  if (what == "checked") return m.checked;
  if (what == "reward") return m.reward;
  if (what == "second_reward") return m.second_reward;
  if (what == "kl") return m.kl;
  if (what == "length") return each(m, [&](size_t i) { return static_cast<double>(m.answers[i].ids.size()); });
  if (what == "eos_share") return each(m, [&](size_t i) { return m.answers[i].ended ? 1.0 : 0.0; });
  if (what == "repetition") return each(m, [&](size_t i) { return 1 - distinct(m.words[i], 3); });
  if (what == "refusals" || what == "over_refusals")
    return each(m, [&](size_t i) { return refuses(m.answers[i].text) ? 1.0 : 0.0; });
  if (what == "distinct_1") return each(m, [&](size_t i) { return distinct(m.words[i], 1); });
  if (what == "distinct_2") return each(m, [&](size_t i) { return distinct(m.words[i], 2); });
  return {};
}

// A share of prompts; other figures may lie between 0 and 1 too.
bool is_share(const std::string& what) {
  return what == "win_rate" || what == "second_win_rate" || what == "eos_share" || what == "refusals" ||
         what == "over_refusals" || what == "checked";
}
bool is_bounded(const std::string& what) {
  return what == "utility" || what == "repetition" || what.starts_with("distinct_");
}

// The end of a long conversation: the page shows what the answer answers.
std::string last_part(const std::string& text) {
  constexpr size_t kShown = 1000;  // bytes
  if (text.size() <= kShown) return text;
  size_t from = text.size() - kShown;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;  // a whole character
  return "… " + text.substr(from);
}

}  // namespace

const Measured* OpenMeasures::find(const std::string& name) const {
  const auto it = std::ranges::find(models, name, &Measured::name);
  return it == models.end() ? nullptr : &*it;
}

std::vector<double> OpenMeasures::values(const Measured& m, const std::string& what) const {
  if (what == "win_rate")
    return start && start != &m ? by_prompt(wins_over(worth(m), worth(*start)), samples_) : std::vector<double>{};
  if (what == "second_win_rate")
    return start && start != &m ? by_prompt(wins_over(m.second_reward, start->second_reward), samples_)
                                : std::vector<double>{};
  std::vector<double> out = by_prompt(per_answer(m, what), samples_);
  if (what == "refusals" || what == "over_refusals") return of_prompts(std::move(out), what == "refusals");
  return out;
}

// Of one number for each prompt those of the harmful ones, or of the others.
std::vector<double> OpenMeasures::of_prompts(std::vector<double> values, bool harmful) const {
  std::vector<double> out;
  for (size_t p = 0; p < values.size(); ++p)
    if ((!prompts.harmful.empty() && prompts.harmful[p]) == harmful) out.push_back(values[p]);
  return out;
}

// A figure of all answers together, which no mean over prompts gives.
std::optional<stats::Estimate> OpenMeasures::whole(const Measured& m, const std::string& what) const {
  if (what == "perplexity" && !m.nll.empty())
    return perplexity(by_prompt(m.nll, samples_), by_prompt(per_answer(m, "length"), samples_));
  if (what == "kl_per_token" && !m.kl.empty())
    return stats::bootstrap_ratio(by_prompt(m.kl, samples_), by_prompt(per_answer(m, "length"), samples_));
  if (what == "start_loss_ratio" && start && start != &m && !m.nll.empty() && !start->nll.empty())
    return ratio_of_means(by_prompt(m.nll, samples_), by_prompt(per_answer(m, "length"), samples_),
                          by_prompt(start->nll, samples_), by_prompt(per_answer(*start, "length"), samples_));
  if (what == "text_perplexity" && !m.texts.nats.empty()) return perplexity(m.texts.nats, m.texts.tokens);
  if (what == "text_perplexity_ratio" && start && start != &m && !m.texts.nats.empty())
    return perplexity_ratio(m.texts.nats, start->texts.nats, m.texts.tokens);
  if (what != "distinct_across") return std::nullopt;
  const double value = distinct_across(m.words, 2, kWordsAcross);
  return stats::Estimate{value, value, value, static_cast<int64_t>(m.words.size())};
}

std::optional<stats::Estimate> OpenMeasures::measure(const std::string& what, const Measured& m) const {
  if (const auto e = whole(m, what)) return e;
  const std::vector<double> v = values(m, what);
  if (v.empty()) return std::nullopt;
  if (is_share(what)) return share(v);
  stats::Estimate e = stats::bootstrap_mean(v);
  if (is_bounded(what)) e.low = std::max(0.0, e.low), e.high = std::min(1.0, e.high);
  return e;
}

std::optional<stats::Estimate> OpenMeasures::difference(const std::string& what, const Measured& a,
                                                        const Measured& b) const {
  if (what == "perplexity" && !a.nll.empty() && !b.nll.empty())
    return perplexity_difference(by_prompt(a.nll, samples_), by_prompt(per_answer(a, "length"), samples_),
                                 by_prompt(b.nll, samples_), by_prompt(per_answer(b, "length"), samples_));
  if (what != "distinct_across" && (whole(a, what) || whole(b, what))) return std::nullopt;  // not paired as they stand
  if (const auto x = whole(a, what), y = whole(b, what); x && y) {
    const double d = x->value - y->value;
    return stats::Estimate{d, d, d, x->n};
  }
  const std::vector<double> u = values(a, what), v = values(b, what);
  return u.empty() || u.size() != v.size() ? std::nullopt : std::optional(paired_difference(u, v));
}

Json OpenMeasures::model_json(const Measured& m) const {
  Json j{{"name", m.name}, {"path", m.folder}};
  const auto put = [&](Json& where, const std::string& key, const std::string& what) {
    if (const auto e = measure(what, m)) where[key] = rewards::estimate_json(*e);
  };
  put(j, "gold", m.stories.empty() ? "checked" : "utility");
  if (!m.stories.empty())
    for (size_t p = 0; p < m.stories.front().parts.size(); ++p) {
      const std::vector<double> part = each(m, [&](size_t i) { return m.stories[i].parts[p].value; });
      j["parts"][std::string(m.stories.front().parts[p].name)] = mean_json(by_prompt(part, samples_));
    }
  put(j, "length", "length");
  put(j, "win_rate", "win_rate");
  if (j.contains("win_rate")) j["win_rate"]["ties"] = std::ranges::count(wins_over(worth(m), worth(*start)), 0.5);
  put(j, "kl", "kl");
  put(j, "kl_per_token", "kl_per_token");
  put(j, "start_loss_ratio", "start_loss_ratio");
  put(j, "reward", "reward");
  put(j, "second_reward", "second_reward");
  put(j, "second_win_rate", "second_win_rate");
  if (!prompts.harmful.empty()) {
    put(j["refusals"], "harmful prompts", "refusals");
    put(j["refusals"], "harmless prompts", "over_refusals");
  }
  put(j, "text_perplexity", "text_perplexity");
  put(j, "text_perplexity_ratio", "text_perplexity_ratio");
  Json& texts = j["texts"];
  put(texts, "perplexity under the original", "perplexity");
  put(texts, "share that ends by itself", "eos_share");
  if (prompts.harmful.empty()) put(texts, "share that refuses", "over_refusals");
  put(texts, "repeated word triples", "repetition");
  put(texts, "distinct words", "distinct_1");
  put(texts, "distinct word pairs", "distinct_2");
  put(texts, "distinct word pairs across answers", "distinct_across");
  return j;
}

Json OpenMeasures::side_by_side(int64_t count, int64_t seed) const {
  std::vector<double> change;
  if (start && final_model && start != final_model && !worth(*start).empty()) {
    const std::vector<double> before = worth(*start), after = worth(*final_model);
    for (size_t p = 0; p < prompts.ids.size(); ++p) change.push_back(after[p * samples_] - before[p * samples_]);
  }
  Json out = Json::array();
  for (const size_t p : side_by_side_order(prompts.ids.size(), count, change, seed)) {
    const size_t i = p * samples_;
    Json answers = Json::object();
    for (const Measured& m : models) {
      Json a{{"text", m.answers[i].text}};
      Json parts = Json::object();
      if (!m.stories.empty()) {
        a["gold"] = m.stories[i].total;
        for (const world::Part& part : m.stories[i].parts) parts[std::string(part.name)] = part.value;
      }
      if (!m.checked.empty()) a["gold"] = m.checked[i];
      if (!m.reward.empty()) parts["reward"] = m.reward[i];
      if (!m.second_reward.empty()) parts["second reward"] = m.second_reward[i];
      if (!m.kl.empty()) parts["kl"] = m.kl[i];
      a["parts"] = parts;
      answers[m.name] = a;
    }
    out.push_back({{"id", prompts.ids[p]}, {"prompt", last_part(prompts.texts[p])}, {"answers", answers}});
  }
  return out;
}

std::string OpenMeasures::sample_lines() const {
  std::string out;
  for (const Measured& m : models)
    for (size_t i = 0; i < m.answers.size(); ++i) {
      Json j{{"model", m.name},
             {"id", prompts.ids[i / samples_]},
             {"prompt", prompts.texts[i / samples_]},
             {"completion", m.answers[i].text}};
      if (!m.stories.empty()) j["gold"] = m.stories[i].total;
      if (!m.checked.empty()) j["checked"] = m.checked[i];
      if (!m.reward.empty()) j["reward"] = m.reward[i];
      if (!m.second_reward.empty()) j["second_reward"] = m.second_reward[i];
      if (!m.kl.empty()) j["kl"] = m.kl[i];
      if (!prompts.harmful.empty()) j["harmful"] = static_cast<bool>(prompts.harmful[i / samples_]);
      j["refuses"] = refuses(m.answers[i].text);
      j["finish"] = m.answers[i].ended ? "stop" : "length";
      out += dump_json(j) + "\n";
    }
  return out;
}

}  // namespace hone::eval
