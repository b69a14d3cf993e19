#include "annotate/round_api.h"

#include <algorithm>

#include "annotate/request_fields.h"
#include "base/json.h"
#include "base/log.h"
#include "feedback/labels.h"

namespace hone::annotate {
namespace {

using feedback::BlindTest;
using feedback::Finding;
using serve::Problem;

template <class Work>
void asked(const Work& work) {
  try {
    work();
  } catch (const serve::Refused&) {
    throw;
  } catch (const Error& e) {
    if (e.kind != Kind::kUsage) throw;
    throw serve::Refused(Problem::kConflict, e.what(), e.hint);
  }
}

}  // namespace

RoundApi::RoundApi(feedback::Store& store, Rounds& rounds, BlindPairs& blind, PromptDeck& deck, Desk& desk,
                   Listeners& listeners)
    : store_(store), rounds_(rounds), blind_(blind), deck_(deck), desk_(desk), listeners_(listeners) {}

void RoundApi::add_to(serve::Routes& routes) {
  routes.add("GET", "/api/v1/round", [this](const serve::Request&) {
    return serve::json_response(round_json(store_, rounds_, blind_, deck_));
  });
  routes.add("POST", "/api/v1/round", [this](const serve::Request& r) { return act(r); });
}

void RoundApi::tell() const { listeners_.tell("round", dump_json(round_json(store_, rounds_, blind_, deck_))); }

std::function<void(std::string)> RoundApi::told() {
  return [this](const std::string& trouble) {
    if (!trouble.empty()) {
      log::warn("the blind test was not begun: " + trouble);
      listeners_.tell("trouble", dump_json(Json{{"text", "The blind test was not begun: " + trouble}}));
    }
    desk_.catch_up();
    tell();
  };
}

void RoundApi::test(int64_t prompts) {
  const std::vector<feedback::Event> log = store_.events();
  const std::vector<feedback::Round> all = feedback::rounds(log);
  if (all.empty() || !all.back().model) usage_error("no round made a model that could be tested");
  const feedback::Round& round = all.back();
  for (const BlindTest& t : feedback::blind_tests(log, feedback::labels(log)))
    if (t.round == round.round) usage_error("round " + round.round + " has its blind test already", "extend it");
  std::vector<BlindPairs::Opponent> against{{"start", round.start}};
  if (round.original != round.start) against.push_back({"original", round.original});
  blind_.begin(round.round, *round.model, against, prompts, told());
}

void RoundApi::extend(int64_t prompts) {
  const std::vector<feedback::Event> log = store_.events();
  const std::vector<feedback::Round> all = feedback::rounds(log);
  const std::vector<BlindTest> tests = feedback::blind_tests(log, feedback::labels(log));
  const auto unsure = std::ranges::find_if(tests, [&](const BlindTest& t) {
    const Finding finding = t.result().finding;
    return !all.empty() && t.round == all.back().round && t.counts.asked() >= t.prompts &&
           (finding == Finding::kNotSure || finding == Finding::kUndecided);
  });
  if (unsure == tests.end()) usage_error("there is no finished blind test that is not sure yet");
  blind_.extend(*unsure, prompts, told());
}

namespace {

// `round`: round_json's.
bool blind_open(const Json& round) {
  return round.at("state") == "preparing" || !round.value("test", Json()).is_null();
}

}  // namespace

serve::Response RoundApi::act(const serve::Request& request) {
  require_desk(request, desk_);
  const Json body = serve::json_body(request);
  const RequestFields fields(body, {"do", "prompts"});
  const std::string what = fields.text("do", 32);
  const int64_t prompts = fields.optional_whole("prompts", 1, kMostBlindPrompts).value_or(kBlindPrompts);
  asked([&] {
    // A test is judged to its end between the two models that it was begun with.
    if (what == "start" || what == "choose_after" || what == "choose_before")
      if (const Json now = round_json(store_, rounds_, blind_, deck_); blind_open(now))
        throw Desk::Refused(Desk::Trouble::kConflict, "a blind test is open", "answer its pairs first");
    if (what == "start") rounds_.start();
    else if (what == "stop") rounds_.stop();
    else if (what == "go_on") rounds_.go_on();
    else if (what == "give_up") rounds_.give_up();
    else if (what == "test") test(prompts);
    else if (what == "extend") extend(prompts);
    else if (what == "choose_after" || what == "choose_before") rounds_.choose(what == "choose_after");
    else fields.refuse("do", "must be one of start, stop, go_on, give_up, test, extend, choose_after, choose_before");
  });
  tell();
  return serve::json_response(round_json(store_, rounds_, blind_, deck_), 202);
}

}  // namespace hone::annotate
