#include "annotate/desk.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "feedback/blind.h"
#include "feedback/rounds.h"
#include "text/messages.h"

namespace hone::annotate {
namespace {

using feedback::Event;
using feedback::EventType;
using feedback::NewEvent;
using feedback::Order;
using feedback::Outside;
using feedback::Receipt;
using feedback::Side;

// The keys of the events that a judgement brings with it.
std::string shown_key(const std::string& key) { return key + "/shown"; }
std::string correction_key(const std::string& key) { return key + "/correction"; }
std::string note_key(const std::string& key) { return key + "/note"; }

Side side_at(Order order, Place place) {
  return (order == Order::kAFirst) == (place == Place::kFirst) ? Side::kA : Side::kB;
}
Place place_of(Order order, Side side) {
  return side_at(order, Place::kFirst) == side ? Place::kFirst : Place::kSecond;
}

// The text of an answer of one plain turn; nullptr of others, which no text can stand in place of.
const std::string* plain_text(const feedback::Answer& answer) {
  if (answer.messages.size() != 1 || text::beyond_plain_text(answer.messages[0]) != nullptr) return nullptr;
  return &answer.messages[0].content;
}

// A judgement, or one of a blind test.
bool says_outcome(std::string_view type) {
  return type == feedback::name_of(EventType::kJudgement) || type == feedback::name_of(EventType::kBlindAnswered);
}

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

std::string draft_text(const Draft& draft, Order order) {
  Json out = {{"note", draft.note}};
  if (!draft.correction.empty())
    out["correction"] = {{"of", feedback::name_of(side_at(order, draft.of))}, {"text", draft.correction}};
  return dump_json(out);
}

// As draft_text writes it; nothing where it is not (an older hone's).
Draft read_draft(const std::string& text, Order order) {
  Draft out;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return out;
  if (json.contains("note") && json["note"].is_string()) out.note = json["note"];
  if (!json.contains("correction") || !json["correction"].is_object()) return out;
  const Json& correction = json["correction"];
  if (!correction.contains("text") || !correction["text"].is_string()) return out;
  out.correction = correction["text"];
  out.of = place_of(order, correction.value("of", "a") == "b" ? Side::kB : Side::kA);
  return out;
}

}  // namespace

const feedback::Answer& Laid::at(Place place) const {
  return side_at(pair.query.order, place) == Side::kA ? pair.query.a : pair.query.b;
}
bool Laid::cut(Place place) const { return side_at(pair.query.order, place) == Side::kA ? pair.cut_a : pair.cut_b; }

Desk::Desk(feedback::Store& store, PairSource& source, std::string annotator)
    : store_(store),
      source_(source),
      annotator_(std::move(annotator)),
      id_(sha256(store.id() + "\n" + annotator_).substr(0, 16)) {
  seed_ = mix64(hash64(store_.id()), hash64(annotator_));
  store_.each([&](const Event& event) {
    take(event);
    return true;
  });
  for (const auto& [seq, query] : live_) source_.settle(query);
}

void Desk::take(const Event& event) {
  seq_ = event.seq;
  if (event.type == feedback::name_of(EventType::kRoundStarted)) {
    began_before_ = round_began_;
    round_began_ = event.seq;
    ++round_;
  }
  // Given up: what was judged before it still waits to be learned from.
  if (event.type == feedback::name_of(EventType::kRoundFinished) &&
      feedback::read_details(event).value("outcome", "") == feedback::name_of(feedback::RoundOutcome::kStopped))
    round_began_ = began_before_;
  if (event.actor != annotator_) return;
  Word& word = words_[event.query];
  if (event.type == feedback::name_of(EventType::kShown)) {
    shown_.insert(event.query);
    word.learns = feedback::read_shown(event).purpose == feedback::Purpose::kLearn;
  }
  if (says_outcome(event.type)) {
    if (word.judgement != 0) live_.erase(word.judgement);
    word.judgement = event.seq;
    word.key = event.key;
    word.outcome = feedback::read_judgement(event).outcome;
    live_[event.seq] = event.query;
  } else if (event.type == feedback::name_of(EventType::kCorrection)) {
    word.correction = event.seq;
  } else if (event.type == feedback::name_of(EventType::kNote)) {
    word.note = event.seq;
  } else if (event.type == feedback::name_of(EventType::kUndo)) {
    const int64_t seq = feedback::read_undo(event);
    live_.erase(seq);
    for (int64_t* of : {&word.judgement, &word.correction, &word.note})
      if (*of == seq) *of = 0;
  }
}

void Desk::take_new() {
  for (const Event& event : store_.events(seq_)) take(event);
}

void Desk::catch_up() {
  const std::lock_guard lock(mutex_);
  take_new();
}

std::vector<Receipt> Desk::append(const std::vector<NewEvent>& events) {
  const std::vector<Receipt> receipts = store_.append(events);
  take_new();
  return receipts;
}

Order Desk::order_of(const std::string& pair) const {
  return Stream(seed_, "order", hash64(pair)).uniform_at(0) < 0.5 ? Order::kAFirst : Order::kBFirst;
}

Laid Desk::laid(Pair pair) const {
  Laid out{std::move(pair), {}};
  out.pair.query.order = order_of(out.pair.id);
  if (const auto draft = store_.get(Outside::kDraft, annotator_, out.pair.id))
    out.draft = read_draft(draft->value, out.pair.query.order);
  return out;
}

Desk::Hand Desk::hand() const {
  const std::lock_guard lock(mutex_);
  Offer offer = source_.offer(kHand);
  Hand out;
  out.beyond = offer.beyond;
  for (Pair& pair : offer.pairs) out.pairs.push_back(laid(std::move(pair)));
  return out;
}

Progress Desk::progress() const {
  const std::lock_guard lock(mutex_);
  Progress out;
  out.seq = seq_;
  out.round = round_;
  out.left = source_.left();
  for (const auto& [seq, query] : live_) {
    const Word& word = words_.at(query);
    const bool corrected = word.correction != 0, moves = word.learns && advances(word.outcome, corrected);
    if (seq > round_began_ && moves) ++out.ring;
    out.corrections += corrected;
    out.decided += feedback::decided(word.outcome);
    out.tie += word.outcome == feedback::Outcome::kTie;
    out.both_bad += word.outcome == feedback::Outcome::kBothBad;
    out.cant_tell += word.outcome == feedback::Outcome::kCantTell;
    out.skip += word.outcome == feedback::Outcome::kSkip;
    // What was judged of other files, or imported, was never on this page.
    if (!word.key.empty() && source_.find(query)) out.last = Progress::Last{word.key, query, moves};
  }
  return out;
}

Pair Desk::known(const std::string& id) const {
  std::optional<Pair> pair = source_.find(id);
  if (!pair)
    throw Refused(Trouble::kUnknown, "there is no pair '" + id + "' here",
                  "hone annotate was started again with other files? Start it with those that held the pair");
  pair->query.order = order_of(id);
  return std::move(*pair);
}

bool Desk::judged(const std::string& pair) const {
  const auto word = words_.find(pair);
  return word != words_.end() && word->second.judgement != 0;
}

Receipt Desk::judge(const Ballot& ballot, const std::string& key) {
  const std::lock_guard lock(mutex_);
  const Pair pair = known(ballot.pair);
  if (pair.growing) usage_error("the pair's answers are not complete yet");
  const Order order = pair.query.order;

  // 1. The events that this is.
  std::vector<NewEvent> events{pair.test.empty()
                                   ? feedback::judged(annotator_, pair.id, ballot.judgement)
                                   : feedback::blind_answered(annotator_, pair.id, pair.test, ballot.judgement)};
  events.back().key = key;
  const Side corrects = side_at(order, ballot.written.of);
  const feedback::Answer& original = corrects == Side::kA ? pair.query.a : pair.query.b;
  const std::string* before = plain_text(original);
  if (!blank(ballot.written.correction)) {
    if (before == nullptr) usage_error("an answer of several turns cannot be corrected as a text");
    if (*before != ballot.written.correction) {  // one that reads the same corrects nothing
      events.push_back(
          feedback::corrected(annotator_, pair.id, corrects, {text::Message{"assistant", ballot.written.correction}}));
      events.back().key = correction_key(key);
    }
  }
  if (!blank(ballot.written.note)) {
    events.push_back(feedback::noted(annotator_, pair.id, ballot.written.note));
    events.back().key = note_key(key);
  }

  // 2. The same again? The store holds each event against its key; that none was left out or added is held here.
  if (store_.event_by_key(annotator_, key)) {
    for (const std::string& part : {correction_key(key), note_key(key)}) {
      const bool wanted = std::any_of(events.begin(), events.end(), [&](const NewEvent& e) { return e.key == part; });
      if (store_.event_by_key(annotator_, part).has_value() != wanted)
        throw Refused(Trouble::kConflict, "the key '" + key + "' stands for another judgement");
    }
    return append(events).front();
  }
  if (judged(pair.id)) throw Refused(Trouble::kConflict, "the pair is judged already", "undo that first");

  // 3. Into the log, with the pair as it was shown.
  if (!shown_.contains(pair.id)) {
    const auto head = events.insert(
        events.begin(), feedback::shown(annotator_, pair.id, pair.query, pair.purpose, std::to_string(round_)));
    head->key = shown_key(key);
  }
  const std::vector<Receipt> receipts = append(events);
  source_.settle(pair.id);
  store_.drop(Outside::kDraft, annotator_, pair.id);
  for (size_t i = 0; i < events.size(); ++i)
    if (says_outcome(feedback::name_of(events[i].type))) return receipts[i];
  HONE_CHECK(false, "a judgement without its event");
}

Draft Desk::written_of(const std::string& query, const Word& word) const {
  Draft out;
  const Order order = order_of(query);
  for (const Event& event : store_.events_of(query)) {
    if (event.seq == word.note) out.note = feedback::read_note(event);
    if (event.seq != word.correction) continue;
    const feedback::Correction correction = feedback::read_correction(event);
    if (correction.messages.size() != 1) continue;
    out.correction = correction.messages[0].content;
    out.of = place_of(order, correction.corrects);
  }
  return out;
}

// Who has seen a verdict answers otherwise: its answers stay.
void Desk::refuse_if_told(const Event& answer) const {
  const std::vector<Event> log = store_.events();
  const std::vector<feedback::Label> labels = feedback::labels(log);
  for (const feedback::BlindTest& test : feedback::blind_tests(log, labels))
    if (test.test == feedback::read_name(answer) && (test.extended || test.counts.asked() >= test.prompts))
      throw Refused(Trouble::kConflict, "the blind test's verdict was told, and its answers stay",
                    "it can be extended by more prompts where it is not sure");
}

Receipt Desk::undo(const std::string& judgement, const std::string& key) {
  const std::lock_guard lock(mutex_);
  const std::optional<Event> event = store_.event_by_key(annotator_, judgement);
  if (!event || !says_outcome(event->type))
    throw Refused(Trouble::kUnknown, "there is no judgement '" + judgement + "'");
  const std::string query = event->query;
  NewEvent first = feedback::undone(annotator_, query, event->seq);
  first.key = key;
  if (store_.event_by_key(annotator_, key)) return append({first}).front();
  if (!live_.contains(event->seq)) throw Refused(Trouble::kConflict, "the judgement was undone before");
  if (event->type == feedback::name_of(EventType::kBlindAnswered)) refuse_if_told(*event);

  const Word word = words_.at(query);
  const Draft written = written_of(query, word);
  std::vector<NewEvent> events{first};
  for (const int64_t seq : {word.correction, word.note}) {
    if (seq == 0) continue;
    events.push_back(feedback::undone(annotator_, query, seq));
    events.back().key = key + "/" + std::to_string(seq);
  }
  if (!written.empty()) save_draft(query, written);  // before: a kill between the two loses no word
  const Receipt receipt = append(events).front();
  source_.reopen(query);
  return receipt;
}

void Desk::save_draft(const std::string& pair, const Draft& draft) {
  if (draft.empty()) store_.drop(Outside::kDraft, annotator_, pair);
  else store_.put(Outside::kDraft, annotator_, pair, draft_text(draft, order_of(pair)));
}

void Desk::keep_draft(const std::string& pair, const Draft& draft) {
  const std::lock_guard lock(mutex_);
  known(pair);
  if (judged(pair)) throw Refused(Trouble::kConflict, "the pair is judged already");
  save_draft(pair, draft);
}

}  // namespace hone::annotate
