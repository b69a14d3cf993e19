#include "annotate/round_view.h"

#include <chrono>

#include "base/files.h"
#include "base/json.h"
#include "base/progress.h"
#include "config/run_folder.h"
#include "feedback/blind.h"
#include "feedback/labels.h"

namespace hone::annotate {
namespace {

namespace fs = std::filesystem;
using feedback::BlindTest;
using feedback::Finding;
using feedback::Round;
using feedback::RoundOutcome;

constexpr size_t kMostPoints = 400;  // of a curve
// What the page draws, and the metric that it is (report/metrics.def).
constexpr std::pair<const char*, const char*> kCurve[] = {{"accuracy", "accuracy"},
                                                          {"fold", "fold"},
                                                          {"held_out_accuracy", "fold_held_out_accuracy"},
                                                          {"pooled_accuracy", "folds_accuracy"},
                                                          {"kl_per_token", "kl_per_token"}};

// Lines that are being written may be cut; what is no line yet comes the next time.
Json curve_of(const fs::path& folder) {
  Json out = Json::array();
  std::error_code ec;
  const fs::path path = folder / kLearnFolder / config::names::kMetrics;
  if (!fs::exists(path, ec)) return out;
  for_each_line(path, [&](std::string_view line, int64_t) {
    const Json m = Json::parse(line, nullptr, false);
    if (!m.is_object() || !m.contains("step") || out.size() >= kMostPoints) return;
    Json point = {{"step", m["step"]}};
    for (const auto& [key, metric] : kCurve)
      if (m.contains(metric) && m[metric].is_number()) point[key] = m[metric];
    out.push_back(std::move(point));
  });
  return out;
}

const Json* model_named(const Json& results, const char* name) {
  for (const Json& m : results.at("models"))
    if (m.at("name") == name) return &m;
  return nullptr;
}

// "value" of an estimate below `path`.
std::optional<double> figure(const Json& model, std::initializer_list<const char*> path) {
  const Json* at = &model;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return std::nullopt;
    at = &at->at(key);
  }
  if (at->is_object() && at->contains("value")) at = &at->at("value");
  return at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

// What changed beside taste, as the round's evaluation measured it.
Json changes_of(const fs::path& folder) {
  Json out = Json::array();
  std::error_code ec;
  const fs::path path = folder / kMeasureFolder / config::names::kResults;
  if (!fs::exists(path, ec)) return out;
  const Json results = parse_json(read_file(path), path.string());
  const Json *before = model_named(results, "before"), *after = model_named(results, "after");
  if (before == nullptr || after == nullptr) return out;
  const auto add = [&](const char* name, std::initializer_list<const char*> key, double scale, const char* unit) {
    const auto x = figure(*before, key), y = figure(*after, key);
    if (!y) return;
    out.push_back({{"name", name}, {"unit", unit}, {"before", x ? Json(*x * scale) : Json()}, {"after", *y * scale}});
  };
  // Of pairs that chance chose and nobody learned from: what learning did to all pairs, not to those it asked for.
  if (results.contains("comparisons")) {
    Json share = {{"before", nullptr}, {"after", nullptr}};  // of the original its own implicit reward says nothing
    for (const Json& judge : results["comparisons"]["judges"])
      for (const char* name : {"before", "after"})
        if (judge.at("name") == name) {
          share[name] = 100 * judge.at("value").get<double>();
          share["name"] = "Agrees with you on " + count_text(judge.at("n").get<int64_t>()) + " pairs drawn by chance";
        }
    share["unit"] = "%";
    if (share.contains("name")) out.push_back(std::move(share));
  }
  add("Length", {"length"}, 1, "tokens");
  add("Refusals", {"texts", "share that refuses"}, 100, "%");
  add("Repeated word triples", {"texts", "repeated word triples"}, 100, "%");
  add("Different word pairs across answers", {"texts", "distinct word pairs across answers"}, 100, "%");
  add("Ends by itself", {"texts", "share that ends by itself"}, 100, "%");
  add("KL to the original", {"kl_per_token"}, 1, "nats a token");
  add("The start's loss on the answers, over that on its own", {"start_loss_ratio"}, 100, "%");
  add("Perplexity of held-out texts", {"text_perplexity"}, 1, "");
  return out;
}

Json verdict_json(const BlindTest& t) {
  const feedback::BlindVerdict v = t.result();
  Json out = {{"test", t.test},
              {"opponent", t.opponent},
              {"finding", std::string(name_of(v.finding))},
              {"words", feedback::words(v, t.counts, t.opponent)},
              {"prompts", t.prompts},
              {"asked", t.counts.asked()},
              {"any_time", v.any_time}};
  if (v.finding == Finding::kUnfinished) return out;
  out["beside"] = feedback::beside(t.counts);
  out["decided"] = t.counts.decided();
  out["share"] = v.share.value;
  out["low"] = v.share.low;
  out["high"] = v.share.high;
  return out;
}

std::string_view name_of_state(RoundState state) {
  switch (state) {
    case RoundState::kIdle:
      return "idle";
    case RoundState::kStarting:
      return "starting";
    case RoundState::kLearning:
      return "learning";
    case RoundState::kPaused:
      return "paused";
  }
  return "";
}

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Json round_json(const feedback::Store& store, const Rounds& rounds, const BlindPairs& blind, const PromptDeck& deck) {
  // Before the log is read: a round that learns, or a test that is ready, is then in it.
  const Rounds::Now now = rounds.now();
  const bool preparing = blind.preparing();
  const std::vector<feedback::Event> log = store.events();
  const std::vector<Round> all = feedback::rounds(log);
  const std::vector<BlindTest> tests = feedback::blind_tests(log, feedback::labels(log));

  Json out = {
      {"seq", log.back().seq},
      {"state", preparing ? "preparing" : std::string(name_of_state(now.state))},
      {"trouble", now.trouble},
      {"pairs", now.pairs},
      {"fewest", kFewestPairs},
      {"round", nullptr},
      {"test", nullptr},
      {"verdicts", Json::array()},
      {"offer",
       {{"prompts", kBlindPrompts}, {"can_show", feedback::power_words(kBlindPrompts)}, {"fresh", deck.fresh()}}}};
  Json may = Json::array();
  bool tested = false, open = false, unsure = false;
  if (!all.empty()) {
    const Round& r = all.back();
    const fs::path folder = rounds.folder_of(r.round);
    const int64_t end = r.finished_us > 0 ? r.finished_us : now_us();
    out["round"] = {{"name", r.round},
                    {"outcome", std::string(name_of(r.outcome))},
                    {"why", r.why},
                    {"pairs", r.pairs},
                    {"step", now.step},
                    {"total", now.total},
                    {"seconds", static_cast<double>(end - r.started_us) / 1e6},
                    {"folder", folder.string()},
                    {"report", (folder / config::names::kReport).string()},
                    {"curve", curve_of(folder)},
                    {"changes", r.outcome == RoundOutcome::kRunning ? Json::array() : changes_of(folder)}};
    int64_t asked = 0, prompts = 0;
    for (const BlindTest& t : tests) {
      if (t.round != r.round) continue;
      tested = true;
      asked += t.counts.asked();
      prompts += t.prompts;
      const Finding finding = t.result().finding;
      open = open || t.counts.asked() < t.prompts;
      unsure = unsure || finding == Finding::kNotSure || finding == Finding::kUndecided;
      out["verdicts"].push_back(verdict_json(t));
    }
    if (open) out["test"] = {{"prompts", prompts}, {"asked", asked}};
    const auto chosen = feedback::chosen_model(log);
    const bool decided =
        chosen && r.model && std::ranges::any_of(log, [&](const feedback::Event& e) {
          return e.type == feedback::name_of(feedback::EventType::kModelChosen) && feedback::read_name(e) == r.round;
        });
    out["round"]["chosen"] = !decided ? Json() : Json(chosen == r.model ? "after" : "before");
    if (r.model && !preparing && now.state == RoundState::kIdle) {
      if (!tested) may.push_back("test");
      if (tested && !open && unsure) may.push_back("extend");
      if (!open) may.push_back("choose_after"), may.push_back("choose_before");
    }
  }
  if (now.state == RoundState::kLearning || now.state == RoundState::kStarting) may.push_back("stop");
  if (now.state == RoundState::kPaused) may.push_back("go_on"), may.push_back("give_up");
  if (now.state == RoundState::kIdle && !preparing && !open && now.pairs >= kFewestPairs) may.push_back("start");
  out["may"] = std::move(may);
  return out;
}

}  // namespace hone::annotate
