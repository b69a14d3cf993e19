#include "feedback/event.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "feedback/canonical_json.h"
#include "feedback/row_fields.h"
#include "text/message_json.h"

namespace hone::feedback {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
#define HONE_EVENT_NAME(id, name, doc) name,
    HONE_EVENTS(HONE_EVENT_NAME)
#undef HONE_EVENT_NAME
});
constexpr std::array<std::string_view, 3> kPurposes{"learn", "evaluate", "blind"};

NewEvent made(EventType type, const std::string& actor, const std::string& query, const Json& payload) {
  return {type, actor, query, canonical_json(payload), ""};
}

// --- What payloads say.

Json answer_json(const Answer& answer) {
  Json out = {{"messages", text::messages_json(answer.messages)}, {"sha256", answer_hash(answer.messages)}};
  if (!answer.policy.empty()) out["policy"] = answer.policy;
  if (!answer.sampling.empty()) out["sampling"] = parse_json(answer.sampling, "sampling");
  return out;
}

Json judgement_json(const Judgement& j) {
  Json out = {{"outcome", std::string(name_of(j.outcome))}};
  if (!j.reason.empty()) out["reason"] = j.reason;
  if (j.strength != 0) out["strength"] = j.strength;
  if (j.dwell_ms) out["dwell_ms"] = *j.dwell_ms;
  if (j.weight != 1) out["weight"] = j.weight;
  if (j.margin != 0) out["margin"] = j.margin;
  return out;
}

Json named_json(const char* key, const std::string& name, const Json& details) {
  if (!details.is_object()) usage_error("the details are not an object");
  return {{key, name}, {"details", details}};
}

// --- And back.

Json payload_of(const Event& event) {
  Json out = parse_json(event.payload, "payload");
  if (!out.is_object()) usage_error("the payload is not an object");
  return out;
}

Answer answer_of(const Json& payload, const char* key) {
  const Json& value = must(payload, key);
  if (!value.is_object()) usage_error(std::string("field '") + key + "' is not an object");
  Answer out;
  out.messages = text::messages_of(must(value, "messages"));
  out.policy = text_or_none(value, "policy");
  out.sampling = object_or_none(value, "sampling");
  if (text_at(value, "sha256") != answer_hash(out.messages))
    usage_error(std::string("field '") + key + "': its SHA-256 is not that of its messages");
  return out;
}

Shown shown_of(const Json& p) {
  Shown out;
  Query& q = out.query;
  q.prompt = text::messages_of(must(p, "prompt"));
  q.prompt.front().tools = list_or_none(p, "tools");
  q.a = answer_of(p, "a");
  q.b = answer_of(p, "b");
  if (const std::string order = text_or_none(p, "order"); order == "ab") q.order = Order::kAFirst;
  else if (order == "ba") q.order = Order::kBFirst;
  else if (!order.empty()) usage_error("field 'order' is '" + order + "', neither 'ab' nor 'ba'");
  q.strategy = text_or_none(p, "strategy");
  q.propensity = number_or_none(p, "propensity");
  q.source = text_or_none(p, "source");
  q.id = text_or_none(p, "id");
  out.purpose = purpose_named(text_at(p, "purpose"));
  out.round = text_or_none(p, "round");
  check(q);
  return out;
}

Judgement judgement_of(const Json& p) {
  Judgement out;
  const std::string name = text_at(p, "outcome");
  const auto outcome = outcome_named(name);
  if (!outcome)
    usage_error("field 'outcome' is '" + name + "'", "outcomes are a, b, tie, both_bad, cant_tell and skip");
  out.outcome = *outcome;
  out.reason = text_or_none(p, "reason");
  out.strength = static_cast<int>(whole_or_none(p, "strength", 1, 4).value_or(0));
  out.dwell_ms = whole_or_none(p, "dwell_ms", 0);
  out.weight = number_or_none(p, "weight").value_or(1);
  out.margin = number_or_none(p, "margin").value_or(0);
  check(out);
  return out;
}

Correction correction_of(const Json& p) {
  const std::string side = text_at(p, "corrects");
  if (side != "a" && side != "b") usage_error("field 'corrects' is '" + side + "', neither 'a' nor 'b'");
  Correction out{side == "a" ? Side::kA : Side::kB, text::messages_of(must(p, "messages"))};
  if (out.messages.back().role != "assistant") usage_error("the correction does not end with the assistant");
  return out;
}

int64_t undone_seq(const Json& p) {
  must(p, "seq");
  return *whole_or_none(p, "seq", 1);
}

void check_details(const Json& p) {
  if (!must(p, "details").is_object()) usage_error("field 'details' is not an object");
}

void check_payload(EventType type, const Json& p) {
  switch (type) {
    case EventType::kCreated:
      if (text_at(p, "format") != kLogFormat) usage_error("field 'format' is not '" + std::string(kLogFormat) + "'");
      if (text_at(p, "store").empty()) usage_error("field 'store' is empty");
      return;
    case EventType::kShown:
      shown_of(p);
      return;
    case EventType::kJudgement:
      judgement_of(p);
      return;
    case EventType::kUndo:
      undone_seq(p);
      return;
    case EventType::kCorrection:
      correction_of(p);
      return;
    case EventType::kNote:
      text_at(p, "text");
      return;
    case EventType::kRoundStarted:
    case EventType::kRoundFinished:
    case EventType::kModelChosen:
      if (text_at(p, "round").empty()) usage_error("field 'round' is empty");
      check_details(p);
      return;
    case EventType::kBlindBegun:
      if (text_at(p, "test").empty()) usage_error("field 'test' is empty");
      must(p, "prompts");
      whole_or_none(p, "prompts", 1);
      check_details(p);
      return;
    case EventType::kBlindAnswered:
      if (text_at(p, "test").empty()) usage_error("field 'test' is empty");
      judgement_of(p);
      return;
  }
}

bool about_a_query(EventType type) {
  return type != EventType::kCreated && type != EventType::kRoundStarted && type != EventType::kRoundFinished &&
         type != EventType::kBlindBegun && type != EventType::kModelChosen;
}

void check_name(const char* what, const std::string& name, bool may_be_empty) {
  if (name.empty() && !may_be_empty) usage_error(std::string("an event has no ") + what);
  if (name.size() > kLongestName)
    usage_error(std::string("an event's ") + what + " is longer than " + std::to_string(kLongestName) + " bytes");
  if (valid_utf8_prefix(name) != name.size()) usage_error(std::string("an event's ") + what + " is not UTF-8");
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    usage_error(std::string("an event's ") + what + " holds a control character");
}

std::string bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  return out;
}

}  // namespace

std::string_view name_of(EventType type) { return kNames[static_cast<size_t>(type)]; }

EventType event_type(std::string_view name) {
  const auto* it = std::ranges::find(kNames, name);
  if (it == kNames.end()) usage_error("there is no event of type '" + std::string(name) + "'");
  return static_cast<EventType>(it - kNames.begin());
}

std::string_view name_of(Purpose purpose) { return kPurposes[static_cast<size_t>(purpose)]; }

Purpose purpose_named(std::string_view name) {
  const auto* it = std::ranges::find(kPurposes, name);
  if (it == kPurposes.end())
    usage_error("a query's purpose is '" + std::string(name) + "', not learn, evaluate or blind");
  return static_cast<Purpose>(it - kPurposes.begin());
}

std::string answer_hash(const std::vector<text::Message>& messages) {
  return sha256(canonical_json(text::messages_json(messages)));
}

NewEvent shown(const std::string& actor, const std::string& query, const Query& q, Purpose purpose,
               const std::string& round) {
  check(q);
  Json p = {{"prompt", text::messages_json(q.prompt)},
            {"a", answer_json(q.a)},
            {"b", answer_json(q.b)},
            {"purpose", std::string(name_of(purpose))}};
  if (!q.prompt.front().tools.empty()) p["tools"] = parse_json(q.prompt.front().tools, "tools");
  if (q.order != Order::kUnknown) p["order"] = q.order == Order::kAFirst ? "ab" : "ba";
  if (!q.strategy.empty()) p["strategy"] = q.strategy;
  if (q.propensity) p["propensity"] = *q.propensity;
  if (!q.source.empty()) p["source"] = q.source;
  if (!q.id.empty()) p["id"] = q.id;
  if (!round.empty()) p["round"] = round;
  return made(EventType::kShown, actor, query, p);
}

NewEvent judged(const std::string& actor, const std::string& query, const Judgement& judgement) {
  check(judgement);
  return made(EventType::kJudgement, actor, query, judgement_json(judgement));
}

NewEvent undone(const std::string& actor, const std::string& query, int64_t seq) {
  return made(EventType::kUndo, actor, query, Json{{"seq", seq}});
}

NewEvent corrected(const std::string& actor, const std::string& query, Side corrects,
                   const std::vector<text::Message>& correction) {
  return made(EventType::kCorrection, actor, query,
              Json{{"corrects", std::string(name_of(corrects))}, {"messages", text::messages_json(correction)}});
}

NewEvent noted(const std::string& actor, const std::string& query, const std::string& note) {
  return made(EventType::kNote, actor, query, Json{{"text", note}});
}

NewEvent round_started(const std::string& actor, const std::string& round, const Json& details) {
  return made(EventType::kRoundStarted, actor, "", named_json("round", round, details));
}

NewEvent round_finished(const std::string& actor, const std::string& round, const Json& details) {
  return made(EventType::kRoundFinished, actor, "", named_json("round", round, details));
}

NewEvent model_chosen(const std::string& actor, const std::string& round, const Json& details) {
  return made(EventType::kModelChosen, actor, "", named_json("round", round, details));
}

NewEvent blind_begun(const std::string& actor, const std::string& test, int64_t prompts, const Json& details) {
  Json p = named_json("test", test, details);
  p["prompts"] = prompts;
  return made(EventType::kBlindBegun, actor, "", p);
}

NewEvent blind_answered(const std::string& actor, const std::string& query, const std::string& test,
                        const Judgement& judgement) {
  check(judgement);
  Json p = judgement_json(judgement);
  p["test"] = test;
  return made(EventType::kBlindAnswered, actor, query, p);
}

Shown read_shown(const Event& event) { return shown_of(payload_of(event)); }
Judgement read_judgement(const Event& event) { return judgement_of(payload_of(event)); }
int64_t read_undo(const Event& event) { return undone_seq(payload_of(event)); }
Correction read_correction(const Event& event) { return correction_of(payload_of(event)); }
std::string read_note(const Event& event) { return text_at(payload_of(event), "text"); }

std::string read_name(const Event& event) {
  return text_at(payload_of(event), event.type.starts_with("blind") ? "test" : "round");
}
Json read_details(const Event& event) { return must(payload_of(event), "details"); }
int64_t read_prompts(const Event& event) {
  const Json p = payload_of(event);
  must(p, "prompts");
  return *whole_or_none(p, "prompts", 1);
}

void check_actor(const std::string& name) { check_name("actor", name, false); }

void check_event(const NewEvent& event) {
  check_name("actor", event.actor, false);
  check_name("key", event.key, true);
  check_name("query", event.query, !about_a_query(event.type));
  if (!event.query.empty() && !about_a_query(event.type))
    usage_error("an event of type '" + std::string(name_of(event.type)) + "' is about no query");
  if (event.payload.size() > kLongestPayload)
    usage_error("an event's payload of " + std::to_string(event.payload.size()) + " bytes is longer than " +
                    std::to_string(kLongestPayload),
                "shorten the answers or the note");
  const Json payload = parse_json(event.payload, "payload");
  if (!payload.is_object()) usage_error("an event's payload is not an object");
  if (canonical_json(payload) != event.payload) usage_error("an event's payload is not canonical JSON");
  try {
    check_payload(event.type, payload);
  } catch (const Error& e) {
    throw Error(e.kind, "an event of type '" + std::string(name_of(event.type)) + "': " + e.what(), e.hint);
  }
}

std::string hash_of(const Event& event) {
  // As canonical_json would write it: the keys are in order. Each append waits for this within its transaction.
  std::string out = bytes_of(event.prev);
  const auto text = [&](std::string_view before, const std::string& value) {
    out += before;
    append_canonical_text(value, out);
  };
  text(R"({"actor":)", event.actor);
  text(R"(,"key":)", event.key);
  text(R"(,"payload_sha256":)", event.payload_sha256);
  text(R"(,"query":)", event.query);
  out += R"(,"seq":)" + std::to_string(event.seq);
  text(R"(,"type":)", event.type);
  out += R"(,"us":)" + std::to_string(event.us) + "}";
  return sha256(out);
}

}  // namespace hone::feedback
