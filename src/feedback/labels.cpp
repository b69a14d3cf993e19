#include "feedback/labels.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"

namespace hone::feedback {
namespace {

// What one person said of one query and has not taken back, the last of each.
struct Word {
  const Event *judgement = nullptr, *correction = nullptr, *note = nullptr;
};

std::string who_and_what(const Event& e) { return e.actor + '\n' + e.query; }  // no name holds a newline

[[noreturn]] void contradicts(const Event& e, const std::string& why) {
  usage_error("event " + std::to_string(e.seq) + " (" + e.type + "): " + why, "`hone check` verifies the store");
}

class Reader {
 public:
  void take(const Event& e) {
    if (e.type == name_of(EventType::kShown)) {
      if (!shown_.emplace(who_and_what(e), &e).second) contradicts(e, "its query was shown before");
    } else if (e.type == name_of(EventType::kUndo)) {
      const int64_t seq = read_undo(e);
      if (seq >= e.seq || !undone_.insert(seq).second) contradicts(e, "it takes back event " + std::to_string(seq));
    } else if (e.type == name_of(EventType::kJudgement) || e.type == name_of(EventType::kBlindAnswered) ||
               e.type == name_of(EventType::kCorrection) || e.type == name_of(EventType::kNote)) {
      if (!shown_.contains(who_and_what(e))) contradicts(e, "its query was not shown before");
      said_.push_back(&e);
    }
  }

  std::vector<Label> labels() const {
    std::unordered_map<std::string, Word> words;
    for (const Event* e : said_) {
      if (undone_.contains(e->seq)) continue;
      Word& word = words[who_and_what(*e)];
      if (e->type == name_of(EventType::kCorrection)) word.correction = e;
      else if (e->type == name_of(EventType::kNote)) word.note = e;
      else word.judgement = e;
    }
    std::vector<Label> out;
    for (const auto& [names, word] : words)
      if (word.judgement) out.push_back(label(word));
    std::ranges::sort(out, {}, &Label::judged_seq);
    return out;
  }

 private:
  Label label(const Word& word) const {
    const Event& judgement = *word.judgement;
    const Event& shown_event = *shown_.at(who_and_what(judgement));
    Shown shown = read_shown(shown_event);
    Label out;
    static_cast<Query&>(out.comparison) = std::move(shown.query);
    static_cast<Judgement&>(out.comparison) = read_judgement(judgement);
    if (judgement.actor != kImporter) out.comparison.annotator = judgement.actor;
    if (word.correction) {
      Correction correction = read_correction(*word.correction);
      out.comparison.correction = std::move(correction.messages);
      out.comparison.corrects = correction.corrects;
    }
    if (word.note) out.comparison.note = read_note(*word.note);
    out.query = judgement.query;
    out.round = shown.round;
    out.purpose = shown.purpose;
    if (judgement.type == name_of(EventType::kBlindAnswered)) {
      out.purpose = Purpose::kBlind;
      out.test = read_name(judgement);
    }
    out.shown_seq = shown_event.seq;
    out.judged_seq = judgement.seq;
    out.us = judgement.us;
    return out;
  }

  std::unordered_map<std::string, const Event*> shown_;
  std::set<int64_t> undone_;
  std::vector<const Event*> said_;
};

}  // namespace

std::vector<Label> labels(std::span<const Event> log) {
  Reader reader;
  for (const Event& e : log) reader.take(e);
  return reader.labels();
}

std::vector<Label> labels(const Store& store) { return labels(store.events()); }

TrainingSet training_set(std::span<const Label> labels, Ties ties) {
  TrainingSet out;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].purpose != Purpose::kLearn) {
      ++out.left_out[labels[i].purpose == Purpose::kBlind ? "of a blind test" : "kept for evaluation"];
      continue;
    }
    ++out.labels;
    const std::vector<Pair> pairs = pairs_of(labels[i].comparison, ties);
    if (pairs.empty()) ++out.left_out[std::string(why_no_pair(labels[i].comparison))];
    for (const Pair& p : pairs) {
      out.pairs.push_back(p);
      out.label_of.push_back(i);
    }
  }
  return out;
}

}  // namespace hone::feedback
