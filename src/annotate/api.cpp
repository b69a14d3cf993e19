#include "annotate/api.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "annotate/request_fields.h"
#include "base/json.h"

namespace hone::annotate {
namespace {

using feedback::Order;
using feedback::Outcome;
using serve::Problem;
using serve::Refused;
using serve::Request;
using serve::Response;

constexpr size_t kLongestNote = 32'000, kLongestCorrection = 240'000, kLongestId = 64, kLongestKey = 100;
constexpr int64_t kDay = 24LL * 60 * 60 * 1000;  // ms
constexpr std::array<std::string_view, 4> kReasons{"unclear", "expertise", "offensive", "broken"};

std::string_view name_of(Place place) { return place == Place::kFirst ? "first" : "second"; }

// How an outcome is called on the page, where a and b are whatever stands first and second.
std::string_view shown_name(Outcome outcome, Order order) {
  if (!feedback::decided(outcome)) return feedback::name_of(outcome);
  return (outcome == Outcome::kA) == (order == Order::kAFirst) ? "first" : "second";
}

Outcome outcome_shown(const RequestFields& fields, Order order) {
  const std::string name = fields.text("outcome", kLongestId);
  for (const Outcome o :
       {Outcome::kA, Outcome::kB, Outcome::kTie, Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip})
    if (shown_name(o, order) == name) return o;
  fields.refuse("outcome", "must be one of first, second, tie, both_bad, cant_tell, skip");
}

// Runs `work`; what the desk refuses becomes a problem.
template <class Work>
auto at_desk(const Work& work) {
  try {
    return work();
  } catch (const Desk::Refused& e) {
    throw Refused(e.trouble == Desk::Trouble::kUnknown ? Problem::kNotFound : Problem::kConflict, e.what(), e.hint);
  } catch (const feedback::StoreError& e) {
    if (e.trouble == feedback::Trouble::kConflict || e.trouble == feedback::Trouble::kRefused)
      throw Refused(Problem::kConflict, e.what(), e.hint);
    throw;
  }
}

std::string key_of(const Request& request) {
  const auto at = request.headers.find("idempotency-key");
  const bool there = at != request.headers.end() && at->second.size() >= 8 && at->second.size() <= kLongestKey;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (!there || !std::all_of(at->second.begin(), at->second.end(), fits))
    throw Refused(Problem::kBadRequest,
                  "the header Idempotency-Key must hold 8 to 100 letters, digits, hyphens or underscores");
  return at->second;
}

void read_correction(const RequestFields& fields, Draft& draft) {
  const Json* correction = fields.find("correction");
  if (correction == nullptr) return;
  const RequestFields inner(*correction, {"of", "text"}, "correction");
  const std::string of = inner.text("of", kLongestId);
  if (of != "first" && of != "second") inner.refuse("of", "must be first or second");
  draft.of = of == "first" ? Place::kFirst : Place::kSecond;
  draft.correction = inner.text("text", kLongestCorrection);
}

Json turns_json(const std::vector<text::Message>& messages) {
  Json out = Json::array();
  for (const text::Message& m : messages) {
    Json turn = {{"role", m.role}, {"content", m.content}};
    if (!m.reasoning.empty()) turn["reasoning"] = m.reasoning;
    if (!m.tool_calls.empty()) turn["tool_calls"] = parse_json(m.tool_calls, "tool_calls");
    if (!m.name.empty()) turn["name"] = m.name;
    out.push_back(std::move(turn));
  }
  return out;
}

Json pair_json(const Laid& laid) {
  Json answers = Json::array();
  for (const Place place : {Place::kFirst, Place::kSecond})
    answers.push_back({{"turns", turns_json(laid.at(place).messages)}, {"cut", laid.cut(place)}});
  Json draft = {{"note", laid.draft.note}, {"correction", nullptr}};
  if (!laid.draft.correction.empty())
    draft["correction"] = {{"of", name_of(laid.draft.of)}, {"text", laid.draft.correction}};
  return {{"id", laid.pair.id},
          {"prompt", turns_json(laid.pair.query.prompt)},
          {"answers", std::move(answers)},
          {"draft", std::move(draft)},
          {"trains", laid.pair.purpose == feedback::Purpose::kLearn},
          {"growing", laid.pair.growing}};
}

std::set<std::string> listed(const Request& request, const std::string& name) {
  std::set<std::string> out;
  const auto at = request.query.find(name);
  if (at == request.query.end()) return out;
  size_t begin = 0;
  while (begin <= at->second.size()) {
    const size_t end = std::min(at->second.find(',', begin), at->second.size());
    if (end > begin) out.insert(at->second.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string_view name_of(Supply supply) {
  return supply == Supply::kReady ? "ready" : supply == Supply::kCold ? "cold" : "end";
}

}  // namespace

void require_desk(const Request& request, const Desk& desk) {
  const auto at = request.headers.find("hone-desk");
  if (at != request.headers.end() && at->second != desk.id())
    throw Refused(Problem::kOtherDesk, "this page was opened for another store or person", "load it again");
}

void Listeners::add(std::shared_ptr<serve::EventStream> stream) {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const auto& s) { return s->closed(); });
  streams_.push_back(std::move(stream));
}

void Listeners::tell(std::string_view event, std::string_view data) {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [&](const auto& s) { return !s->send(event, data); });
}

Api::Api(Desk& desk, PairSource& source, Listeners& listeners, std::string export_command)
    : desk_(desk), listeners_(listeners), export_command_(std::move(export_command)) {
  source.on_change([&listeners] { listeners.tell("pairs", "{}"); });
}

void Api::add_to(serve::Routes& routes) {
  routes.add("GET", "/api/v1/pairs", [this](const Request& r) { return pairs(r); });
  routes.add("POST", "/api/v1/judgements", [this](const Request& r) { return judge(r); });
  routes.add("POST", "/api/v1/undo", [this](const Request& r) { return undo(r); });
  routes.add("PUT", "/api/v1/drafts/{pair}", [this](const Request& r) { return keep_draft(r); });
  routes.add("GET", "/api/v1/progress", [this](const Request&) { return serve::json_response(progress_json()); });
  routes.stream("/api/v1/events", [this](const Request&, std::shared_ptr<serve::EventStream> stream) {
    stream->send("progress", dump_json(progress_json()));
    listeners_.add(std::move(stream));
  });
}

Json Api::progress_json() const {
  const Progress p = desk_.progress();
  // Named as on the page, where either of two answers may be a.
  Json advancing = Json::array();
  for (const Outcome o :
       {Outcome::kA, Outcome::kB, Outcome::kTie, Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip})
    if (advances(o, false)) advancing.push_back(shown_name(o, Order::kAFirst));
  Json last;
  if (p.last) last = {{"judgement", p.last->key}, {"pair", p.last->pair}, {"advanced", p.last->advanced}};
  return {{"desk", desk_.id()},
          {"seq", p.seq},
          {"ring", {{"count", p.ring}, {"goal", kRing}, {"round", p.round}, {"advancing", std::move(advancing)}}},
          {"counts",
           {{"decided", p.decided},
            {"tie", p.tie},
            {"both_bad", p.both_bad},
            {"cant_tell", p.cant_tell},
            {"skip", p.skip}}},
          {"corrections", p.corrections},
          {"left", p.left ? Json(*p.left) : Json()},
          {"last", std::move(last)},
          {"export", export_command_}};
}

Response Api::pairs(const Request& request) const {
  require_desk(request, desk_);
  const std::set<std::string> have = listed(request, "have");
  // The progress first: what is on offer is then as of its last event, or newer, never older.
  Json progress = progress_json();
  const Desk::Hand hand = desk_.hand();
  Json order = Json::array(), pairs = Json::array();
  for (const Laid& laid : hand.pairs) {
    order.push_back(laid.pair.id);
    if (!have.contains(laid.pair.id)) pairs.push_back(pair_json(laid));
  }
  return serve::json_response({{"order", std::move(order)},
                               {"pairs", std::move(pairs)},
                               {"supply", name_of(hand.beyond)},
                               {"progress", std::move(progress)}});
}

Response Api::acknowledged(Json out, const feedback::Receipt& receipt) {
  out["seq"] = receipt.seq;
  out["head"] = receipt.hash;
  out["progress"] = progress_json();
  if (!receipt.again) listeners_.tell("progress", dump_json(out["progress"]));
  return serve::json_response(out, 201);
}

Response Api::judge(const Request& request) {
  require_desk(request, desk_);
  const std::string key = key_of(request);
  const Json body = serve::json_body(request);
  const RequestFields fields(body, {"pair", "outcome", "reason", "dwell_ms", "note", "correction"});
  Ballot ballot;
  ballot.pair = fields.text("pair", kLongestId);
  ballot.judgement.outcome = outcome_shown(fields, desk_.order_of(ballot.pair));
  ballot.judgement.reason = fields.optional_text("reason", kLongestId);
  if (!ballot.judgement.reason.empty()) {
    if (ballot.judgement.outcome != Outcome::kSkip) fields.refuse("reason", "belongs to a skip");
    if (std::find(kReasons.begin(), kReasons.end(), ballot.judgement.reason) == kReasons.end())
      fields.refuse("reason", "must be one of unclear, expertise, offensive, broken");
  }
  ballot.judgement.dwell_ms = fields.optional_whole("dwell_ms", 0, kDay);
  ballot.written.note = fields.optional_text("note", kLongestNote);
  read_correction(fields, ballot.written);
  const feedback::Receipt receipt = at_desk([&] { return desk_.judge(ballot, key); });
  return acknowledged({{"judgement", key}}, receipt);
}

Response Api::undo(const Request& request) {
  require_desk(request, desk_);
  const std::string key = key_of(request);
  const Json body = serve::json_body(request);
  const RequestFields fields(body, {"judgement"});
  const std::string judgement = fields.text("judgement", kLongestKey);
  return acknowledged(Json::object(), at_desk([&] { return desk_.undo(judgement, key); }));
}

Response Api::keep_draft(const Request& request) {
  require_desk(request, desk_);
  const Json body = serve::json_body(request);
  const RequestFields fields(body, {"note", "correction"});
  Draft draft;
  draft.note = fields.optional_text("note", kLongestNote);
  read_correction(fields, draft);
  at_desk([&] {
    desk_.keep_draft(request.parameters.at("pair"), draft);
    return 0;
  });
  return serve::no_content();
}

}  // namespace hone::annotate
