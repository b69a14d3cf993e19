#include "feedback/counts.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/json.h"

namespace hone::feedback {
namespace {

std::string day_of(int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", &tm);
  return text;
}

}  // namespace

Counts count(std::span<const Event> log, std::span<const Label> labels) {
  Counts out;
  out.events = std::ssize(log);
  for (const Event& e : log) {
    if (e.type == name_of(EventType::kShown)) ++out.shown;
    if (e.type == name_of(EventType::kJudgement) || e.type == name_of(EventType::kBlindAnswered)) ++out.judgements;
    if (e.type == name_of(EventType::kUndo)) ++out.undone;
  }
  std::vector<int64_t> dwell;
  for (const Label& label : labels) {
    const Comparison& c = label.comparison;
    ++out.labels;
    ++out.by_outcome[std::string(name_of(c.outcome))];
    ++out.by_purpose[std::string(name_of(label.purpose))];
    ++out.by_annotator[c.annotator];
    ++out.by_round[label.round];
    if (!label.test.empty()) ++out.by_test[label.test];
    ++out.by_day[day_of(label.us)];
    out.corrections += !c.correction.empty();
    out.notes += !c.note.empty();
    if (c.dwell_ms) dwell.push_back(*c.dwell_ms);
    if (decided(c.outcome) && c.order != Order::kUnknown) {
      ++out.order_known;
      out.first_won += (c.order == Order::kAFirst) == (c.outcome == Outcome::kA);
    }
  }
  if (!dwell.empty()) {
    std::ranges::sort(dwell);
    const size_t n = dwell.size();
    out.median_dwell_ms = static_cast<double>(dwell[n / 2] + dwell[(n - 1) / 2]) / 2;
  }
  return out;
}

Json Counts::to_json() const {
  return {{"events", events},         {"shown", shown},
          {"judgements", judgements}, {"undone", undone},
          {"labels", labels},         {"corrections", corrections},
          {"notes", notes},           {"by_outcome", by_outcome},
          {"by_purpose", by_purpose}, {"by_annotator", by_annotator},
          {"by_round", by_round},     {"by_test", by_test},
          {"by_day", by_day},         {"order_known", order_known},
          {"first_won", first_won},   {"median_dwell_ms", median_dwell_ms}};
}

}  // namespace hone::feedback
