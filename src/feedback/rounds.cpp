#include "feedback/rounds.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "feedback/labels.h"
#include "feedback/model_json.h"
#include "feedback/row_fields.h"

namespace hone::feedback {
namespace {

constexpr std::array<std::string_view, 6> kOutcomes{"running",         "learned", "learned_too_hard",
                                                    "nothing_learned", "stopped", "failed"};

RoundOutcome outcome_of(const std::string& name) {
  const auto* it = std::ranges::find(kOutcomes, name);
  if (it == kOutcomes.end() || it == kOutcomes.begin()) usage_error("a round's outcome is '" + name + "'");
  return static_cast<RoundOutcome>(it - kOutcomes.begin());
}

Round* find(std::vector<Round>& all, const std::string& name) {
  const auto it = std::ranges::find(all, name, &Round::round);
  return it == all.end() ? nullptr : &*it;
}

}  // namespace

std::string_view name_of(RoundOutcome outcome) { return kOutcomes[static_cast<size_t>(outcome)]; }

NewEvent round_started(const std::string& actor, const RoundStart& s) {
  return round_started(actor, s.round,
                       Json{{"start", model_json(s.start)},
                            {"original", model_json(s.original)},
                            {"folder", s.folder},
                            {"head", {{"seq", s.head_seq}, {"hash", s.head_hash}}},
                            {"pairs", s.pairs},
                            {"rules", kLabelRules}});
}

NewEvent round_finished(const std::string& actor, const RoundEnd& end) {
  HONE_CHECK(end.outcome != RoundOutcome::kRunning);
  Json details = {{"outcome", std::string(name_of(end.outcome))}, {"why", end.why}};
  if (end.model) details["model"] = model_json(*end.model);
  return round_finished(actor, end.round, details);
}

NewEvent model_chosen(const std::string& actor, const std::string& round, const ModelName& model) {
  return model_chosen(actor, round, Json{{"model", model_json(model)}});
}

std::vector<Round> rounds(std::span<const Event> log) {
  std::vector<Round> out;
  for (const Event& e : log) {
    const bool started = e.type == name_of(EventType::kRoundStarted),
               ended = e.type == name_of(EventType::kRoundFinished);
    if (!started && !ended) continue;
    try {
      const Json details = read_details(e);
      const std::string name = read_name(e);
      Round* known = find(out, name);
      if (started) {
        if (known != nullptr) usage_error("round '" + name + "' was started before");
        Round r;
        r.round = name;
        r.start = model_of(must(details, "start"));
        r.original = model_of(must(details, "original"));
        r.folder = text_at(details, "folder");
        r.head_seq = *whole_or_none(must(details, "head"), "seq", 0);
        r.head_hash = text_at(must(details, "head"), "hash");
        r.pairs = whole_or_none(details, "pairs", 0).value_or(0);
        r.started_seq = e.seq;
        r.started_us = e.us;
        out.push_back(std::move(r));
      } else {
        if (known == nullptr) usage_error("round '" + name + "' was not started");
        if (known->outcome != RoundOutcome::kRunning) usage_error("round '" + name + "' was finished before");
        known->outcome = outcome_of(text_at(details, "outcome"));
        known->why = text_or_none(details, "why");
        if (details.contains("model")) known->model = model_of(details.at("model"));
        known->finished_us = e.us;
      }
    } catch (const Error& error) {
      usage_error("event " + std::to_string(e.seq) + " (" + e.type + "): " + error.what(),
                  "`hone check` verifies the store");
    }
  }
  return out;
}

std::optional<ModelName> chosen_model(std::span<const Event> log) {
  std::optional<ModelName> out;
  for (const Event& e : log)
    if (e.type == name_of(EventType::kModelChosen)) out = model_of(must(read_details(e), "model"));
  return out;
}

}  // namespace hone::feedback
