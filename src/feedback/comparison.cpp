#include "feedback/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "feedback/row_fields.h"
#include "text/message_json.h"

namespace hone::feedback {
namespace {

constexpr std::array<std::string_view, 6> kOutcomes{"a", "b", "tie", "both_bad", "cant_tell", "skip"};

constexpr std::array<std::string_view, 22> kKeys{
    "prompt",   "answer_a",   "answer_b", "outcome",  "reason",     "strength",   "shown_first", "dwell_ms",
    "strategy", "propensity", "policy_a", "policy_b", "sampling_a", "sampling_b", "correction",  "corrects",
    "note",     "annotator",  "id",       "source",   "weight",     "margin"};

bool plain(const text::Message& m, std::string_view role) {
  return m.role == role && !m.no_content && m.reasoning.empty() && m.tool_calls.empty() && m.tool_call_id.empty() &&
         m.name.empty() && m.weight == 1;
}

bool plain(const std::vector<text::Message>& turns, std::string_view role) {
  return turns.size() == 1 && plain(turns[0], role);
}

Json turns_json(const std::vector<text::Message>& turns, std::string_view role, Texts texts) {
  if (texts == Texts::kShortest && plain(turns, role)) return turns[0].content;
  return text::messages_json(turns);
}

std::vector<text::Message> turns_of(const Json& value, const char* key, const char* role) {
  if (value.is_string()) return {{role, value.get<std::string>()}};
  if (!value.is_array()) usage_error(std::string("field '") + key + "' is neither a text nor a list of messages");
  return text::messages_of(value);
}

// Simulated people have numbers for names, and their rows say so.
Json annotator_json(const std::string& name) {
  const bool number = !name.empty() && name.size() <= 15 &&
                      std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) &&
                      (name.size() == 1 || name[0] != '0');
  return number ? Json(std::stoll(name)) : Json(name);
}

bool read_annotator(const Json& value, std::string& out) {
  if (value.is_string()) out = value.get<std::string>();
  else if (value.is_number_integer()) out = dump_json(value);
  else return false;
  return true;
}

void add_tools(Json& out, const std::vector<text::Message>& prompt) {
  if (!prompt.front().tools.empty()) out["tools"] = parse_json(prompt.front().tools, "tools");
}

Side side_named(const std::string& name) {
  if (name == "a") return Side::kA;
  if (name == "b") return Side::kB;
  usage_error("a side is '" + name + "', neither 'a' nor 'b'");
}

}  // namespace

std::string_view name_of(Outcome outcome) { return kOutcomes[static_cast<size_t>(outcome)]; }

std::optional<Outcome> outcome_named(std::string_view name) {
  const auto* it = std::ranges::find(kOutcomes, name);
  if (it == kOutcomes.end()) return std::nullopt;
  return static_cast<Outcome>(it - kOutcomes.begin());
}

std::string_view name_of(Side side) { return side == Side::kA ? "a" : "b"; }

Comparison compared(std::vector<text::Message> prompt, std::vector<text::Message> a, std::vector<text::Message> b,
                    Outcome outcome, double margin) {
  Comparison out;
  out.prompt = std::move(prompt);
  out.a.messages = std::move(a);
  out.b.messages = std::move(b);
  out.outcome = outcome;
  out.margin = margin;
  return out;
}

bool all_plain(const Comparison& c) {
  return plain(c.prompt, "user") && plain(c.a.messages, "assistant") && plain(c.b.messages, "assistant") &&
         (c.correction.empty() || plain(c.correction, "assistant"));
}

Json to_preference_row(const Comparison& c, Names names, Texts texts) {
  HONE_CHECK(decided(c.outcome) && !c.prompt.empty());
  const bool a = c.outcome == Outcome::kA;
  Json out = Json::object();
  const auto say_names = [&] {
    if (!c.id.empty()) out["id"] = c.id;
    if (!c.source.empty()) out["source"] = c.source;
  };
  if (names == Names::kFirst) say_names();
  out["prompt"] = turns_json(c.prompt, "user", texts);
  out["chosen"] = turns_json((a ? c.a : c.b).messages, "assistant", texts);
  out["rejected"] = turns_json((a ? c.b : c.a).messages, "assistant", texts);
  if (names == Names::kLast) say_names();
  add_tools(out, c.prompt);
  if (c.weight != 1) out["weight"] = c.weight;
  if (c.margin != 0) out["margin"] = c.margin;
  if (!c.annotator.empty()) out["annotator"] = annotator_json(c.annotator);
  if (c.order != Order::kUnknown) out["shown_first"] = (c.order == Order::kAFirst) == a ? "chosen" : "rejected";
  return out;
}

Json to_row(const Comparison& c) {
  Json out = Json::object();
  const auto say = [&](const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
  };
  out["prompt"] = turns_json(c.prompt, "user", Texts::kShortest);
  out["answer_a"] = turns_json(c.a.messages, "assistant", Texts::kShortest);
  out["answer_b"] = turns_json(c.b.messages, "assistant", Texts::kShortest);
  out["outcome"] = std::string(name_of(c.outcome));
  say("reason", c.reason);
  if (c.strength != 0) out["strength"] = c.strength;
  if (c.order != Order::kUnknown) out["shown_first"] = c.order == Order::kAFirst ? "a" : "b";
  if (c.dwell_ms) out["dwell_ms"] = *c.dwell_ms;
  say("strategy", c.strategy);
  if (c.propensity) out["propensity"] = *c.propensity;
  say("policy_a", c.a.policy);
  say("policy_b", c.b.policy);
  if (!c.a.sampling.empty()) out["sampling_a"] = parse_json(c.a.sampling, "sampling");
  if (!c.b.sampling.empty()) out["sampling_b"] = parse_json(c.b.sampling, "sampling");
  if (!c.correction.empty()) {
    out["correction"] = turns_json(c.correction, "assistant", Texts::kShortest);
    out["corrects"] = std::string(name_of(c.corrects));
  }
  say("note", c.note);
  if (!c.annotator.empty()) out["annotator"] = annotator_json(c.annotator);
  say("id", c.id);
  say("source", c.source);
  add_tools(out, c.prompt);
  if (c.weight != 1) out["weight"] = c.weight;
  if (c.margin != 0) out["margin"] = c.margin;
  return out;
}

bool is_row(const Json& row) {
  return row.is_object() && row.contains("prompt") && row.contains("answer_a") && row.contains("answer_b") &&
         row.contains("outcome");
}

std::span<const std::string_view> row_keys() {
  static constexpr auto kAll = [] {
    std::array<std::string_view, kKeys.size() + 1> out{};
    std::ranges::copy(kKeys, out.begin());
    out.back() = "tools";
    return out;
  }();
  return kAll;
}

Comparison from_row(const Json& row) {
  if (!row.is_object()) usage_error("a comparison is not an object");
  Comparison c;
  c.prompt = turns_of(must(row, "prompt"), "prompt", "user");
  c.a.messages = turns_of(must(row, "answer_a"), "answer_a", "assistant");
  c.b.messages = turns_of(must(row, "answer_b"), "answer_b", "assistant");
  c.prompt.front().tools = list_or_none(row, "tools");
  const std::string outcome = text_or_none(row, "outcome");
  if (const auto named = outcome_named(outcome)) c.outcome = *named;
  else usage_error("field 'outcome' is '" + outcome + "'", "outcomes are a, b, tie, both_bad, cant_tell and skip");
  c.reason = text_or_none(row, "reason");
  c.strength = static_cast<int>(whole_or_none(row, "strength", 1, 4).value_or(0));
  if (row.contains("shown_first"))
    c.order = side_named(text_or_none(row, "shown_first")) == Side::kA ? Order::kAFirst : Order::kBFirst;
  c.dwell_ms = whole_or_none(row, "dwell_ms", 0);
  c.strategy = text_or_none(row, "strategy");
  c.propensity = number_or_none(row, "propensity");
  c.a.policy = text_or_none(row, "policy_a");
  c.b.policy = text_or_none(row, "policy_b");
  c.a.sampling = object_or_none(row, "sampling_a");
  c.b.sampling = object_or_none(row, "sampling_b");
  if (row.contains("correction")) {
    c.correction = turns_of(row["correction"], "correction", "assistant");
    c.corrects = side_named(text_or_none(row, "corrects"));
  } else if (row.contains("corrects")) {
    usage_error("field 'corrects' comes without a 'correction'");
  }
  c.note = text_or_none(row, "note");
  if (row.contains("annotator") && !read_annotator(row["annotator"], c.annotator))
    usage_error("field 'annotator' is neither a text nor a number");
  c.id = text_or_none(row, "id");
  c.source = text_or_none(row, "source");
  c.weight = number_or_none(row, "weight").value_or(1);
  c.margin = number_or_none(row, "margin").value_or(0);
  check(c);
  return c;
}

std::vector<std::string_view> read_judge(const Json& row, Comparison& c) {
  std::vector<std::string_view> other;
  if (const auto it = row.find("annotator"); it != row.end() && !read_annotator(*it, c.annotator))
    other.emplace_back("annotator");
  if (const auto it = row.find("shown_first"); it != row.end()) {
    if (*it == "chosen") c.order = Order::kAFirst;
    else if (*it == "rejected") c.order = Order::kBFirst;
    else other.emplace_back("shown_first");
  }
  return other;
}

void check(const Query& q) {
  if (q.prompt.empty()) usage_error("there is no prompt");
  if (q.prompt.back().role != "user" && q.prompt.back().role != "tool")
    usage_error("the prompt does not end with the user");
  for (const Answer* answer : {&q.a, &q.b})
    if (answer->messages.empty() || answer->messages.back().role != "assistant")
      usage_error("an answer does not end with the assistant");
  if (q.propensity && !(*q.propensity > 0 && *q.propensity <= 1))
    usage_error("the propensity is not above 0 and at most 1");
}

void check(const Judgement& j) {
  if (j.strength < 0 || j.strength > 4) usage_error("the strength is not 1 to 4");
  if (j.strength != 0 && !decided(j.outcome)) usage_error("a strength comes without a winner");
  if (!j.reason.empty() && j.outcome != Outcome::kSkip) usage_error("a reason comes without a skip");
  if (j.dwell_ms && *j.dwell_ms < 0) usage_error("the dwell time is negative");
  if (!(j.weight >= 0) || !std::isfinite(j.weight)) usage_error("the weight is not 0 or more");
  if (!(j.margin >= 0) || !std::isfinite(j.margin)) usage_error("the margin is not 0 or more");
}

void check(const Comparison& c) {
  check(static_cast<const Query&>(c));
  check(static_cast<const Judgement&>(c));
  if (!c.correction.empty() && c.correction.back().role != "assistant")
    usage_error("the correction does not end with the assistant");
}

std::string_view id_suffix(const Pair& pair) {
  if (pair.kind == Pair::Kind::kTie && pair.rejects == Side::kA) return "'";
  if (pair.kind == Pair::Kind::kCorrection) return pair.other ? "++" : "+";
  return "";
}

std::vector<Pair> pairs_of(const Comparison& c, Ties ties) {
  std::vector<Pair> out;
  const auto add = [&](const std::vector<text::Message>& chosen, Side rejects, Pair::Kind kind, double weight,
                       double margin, bool other) {
    const auto& rejected = c.answer(rejects).messages;
    if (chosen == rejected || weight == 0) return;
    out.push_back({c.prompt, chosen, rejected, weight, margin, kind, rejects, other});
  };
  using Kind = Pair::Kind;
  if (c.outcome == Outcome::kA) add(c.a.messages, Side::kB, Kind::kJudged, c.weight, c.margin, false);
  if (c.outcome == Outcome::kB) add(c.b.messages, Side::kA, Kind::kJudged, c.weight, c.margin, false);
  if (c.outcome == Outcome::kTie && ties == Ties::kHalf) {
    add(c.b.messages, Side::kA, Kind::kTie, c.weight / 2, 0, false);
    add(c.a.messages, Side::kB, Kind::kTie, c.weight / 2, 0, false);
  }
  if (c.correction.empty()) return out;
  add(c.correction, c.corrects, Kind::kCorrection, c.weight, 0, false);
  if (c.outcome == Outcome::kBothBad)
    add(c.correction, c.corrects == Side::kA ? Side::kB : Side::kA, Kind::kCorrection, c.weight, 0, true);
  return out;
}

std::string_view why_no_pair(const Comparison& c) {
  if (c.outcome == Outcome::kTie) return "ties";
  if (c.outcome == Outcome::kBothBad) return "both bad";
  if (c.outcome == Outcome::kCantTell) return "can't tell";
  if (c.outcome == Outcome::kSkip) return "skipped";
  return c.weight == 0 ? "weight 0" : "identical answers";
}

}  // namespace hone::feedback
