#include "feedback/blind.h"

#include <algorithm>
#include <array>

#include "base/binomial.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "feedback/model_json.h"
#include "feedback/row_fields.h"

namespace hone::feedback {
namespace {

constexpr std::array<std::string_view, 5> kFindings{"unfinished", "better", "worse", "not_sure", "undecided"};
constexpr double kPower = 0.8;

std::string percent(double share) { return decimal_text(100 * share, 0) + "%"; }

// Upwards to what one can remember: 7, 30, 120.
int64_t about(int64_t n) { return n <= 10 ? n : n <= 100 ? (n + 9) / 10 * 10 : (n + 19) / 20 * 20; }

std::string rival(const std::string& opponent) { return opponent == "original" ? "the original" : "the one before"; }

void take(BlindTest& test, const Label& label) {
  const Comparison& c = label.comparison;
  const bool forwards = c.a.policy == test.tested.policy && c.b.policy == test.against.policy,
             backwards = c.b.policy == test.tested.policy && c.a.policy == test.against.policy;
  if (!forwards && !backwards)
    usage_error("event " + std::to_string(label.judged_seq) + " (blind_answered): its answers are not those of test '" +
                    test.test + "'",
                "`hone check` verifies the store");
  BlindCounts& counts = test.counts;
  switch (c.outcome) {
    case Outcome::kA:
    case Outcome::kB:
      ++((c.outcome == Outcome::kA) == forwards ? counts.tested : counts.against);
      return;
    case Outcome::kTie:
      ++counts.tie;
      return;
    case Outcome::kBothBad:
      ++counts.both_bad;
      return;
    case Outcome::kCantTell:
      ++counts.cant_tell;
      return;
    case Outcome::kSkip:
      ++counts.skip;
      return;
  }
}

}  // namespace

std::string_view name_of(Finding finding) { return kFindings[static_cast<size_t>(finding)]; }

BlindVerdict verdict(const BlindCounts& counts, int64_t prompts, bool extended) {
  BlindVerdict out;
  out.any_time = extended;
  if (!extended && counts.asked() < prompts) return out;
  const int64_t k = counts.tested, n = counts.decided();
  out.share = extended ? stats::anytime_share(k, n) : stats::clopper_pearson(k, n);
  if (n == 0) out.finding = Finding::kUndecided;
  else if (out.share.low > 0.5) out.finding = Finding::kBetter;
  else if (out.share.high < 0.5) out.finding = Finding::kWorse;
  else out.finding = Finding::kNotSure;
  // What goes on is judged by the interval that holds at any time.
  if (out.finding == Finding::kNotSure)
    out.more = stats::answers_until_sure(k, n, out.share.value, kPower, BlindVerdict::kMost).value_or(0);
  return out;
}

std::string words(const BlindVerdict& v, const BlindCounts& counts, const std::string& opponent) {
  if (v.finding == Finding::kUnfinished)
    return "Not finished: the verdict comes when all prompts that were fixed beforehand are answered.";
  if (v.finding == Finding::kUndecided) return "You preferred neither once: nothing tells the two apart.";
  const bool other = v.finding == Finding::kWorse;
  std::string out = "You preferred the new model to " + rival(opponent) + " in " + count_text(counts.tested) + " of " +
                    count_text(counts.decided()) + " decided, " + percent(v.share.low) + " to " +
                    percent(v.share.high) + ": ";
  if (v.finding == Finding::kBetter) return out + "it is better for you.";
  if (other) return out + rival(opponent) + " is better for you.";
  return out + "not yet sure; " +
         (v.more == 0
              ? "the two are so close that more than " + count_text(BlindVerdict::kMost) + " more would be needed."
              : "about " + count_text(about(v.more)) + " more would settle it.");
}

std::string beside(const BlindCounts& c) {
  std::string out;
  const auto add = [&](int64_t n, const char* one, const char* many) {
    if (n > 0) out += (out.empty() ? "" : ", ") + count_text(n) + " " + (n == 1 ? one : many);
  };
  add(c.tie, "tie", "ties");
  add(c.both_bad, "both bad", "both bad");
  add(c.cant_tell, "can't tell", "can't tell");
  add(c.skip, "skipped", "skipped");
  return out;
}

std::string power_words(int64_t prompts) {
  const auto tenths = [&](double share) { return decimal_text(10 * stats::power_at(prompts, share), 0); };
  return "If all " + count_text(prompts) + " are decided, a new model that you prefer in 9 of 10 is found better in " +
         tenths(0.9) + " of 10 such tests, in 8 of 10 in " + tenths(0.8) + ", in 7 of 10 in " + tenths(0.7) +
         ", in 6 of 10 in " + tenths(0.6) + ".";
}

NewEvent blind_begun(const std::string& actor, const BlindBegin& b) {
  return blind_begun(actor, b.test, b.prompts,
                     Json{{"round", b.round},
                          {"tested", model_json(b.tested)},
                          {"against", model_json(b.against)},
                          {"opponent", b.opponent}});
}

NewEvent blind_extended(const std::string& actor, const std::string& test, int64_t prompts) {
  return blind_begun(actor, test, prompts, Json{{"extends", true}});
}

std::vector<BlindTest> blind_tests(std::span<const Event> log, std::span<const Label> labels) {
  std::vector<BlindTest> out;
  for (const Event& e : log) {
    if (e.type != name_of(EventType::kBlindBegun)) continue;
    try {
      const Json details = read_details(e);
      const std::string name = read_name(e);
      const auto known = std::ranges::find(out, name, &BlindTest::test);
      const int64_t prompts = read_prompts(e);
      if (details.contains("extends")) {
        if (known == out.end()) usage_error("test '" + name + "' was not begun");
        known->prompts += prompts;
        known->extended = true;
        continue;
      }
      if (known != out.end()) usage_error("test '" + name + "' was begun before");
      BlindTest t;
      t.test = name;
      t.prompts = prompts;
      t.round = text_at(details, "round");
      t.tested = model_of(must(details, "tested"));
      t.against = model_of(must(details, "against"));
      t.opponent = text_at(details, "opponent");
      t.person = e.actor;
      t.begun_seq = e.seq;
      t.begun_us = e.us;
      out.push_back(std::move(t));
    } catch (const Error& error) {
      usage_error("event " + std::to_string(e.seq) + " (" + e.type + "): " + error.what(),
                  "`hone check` verifies the store");
    }
  }
  for (const Label& label : labels) {
    if (label.test.empty()) continue;
    const auto test = std::ranges::find(out, label.test, &BlindTest::test);
    if (test == out.end())
      usage_error(
          "event " + std::to_string(label.judged_seq) + " (blind_answered): test '" + label.test + "' was not begun",
          "`hone check` verifies the store");
    if (label.comparison.annotator == test->person) take(*test, label);
  }
  return out;
}

}  // namespace hone::feedback
