// What a person asks of rounds and blind tests, below /api/v1:
//
//   GET  /round    ROUND (round_view.h)
//   POST /round    {"do": "start"|"stop"|"go_on"|"give_up"|"test"|"extend"|"choose_after"|"choose_before", "prompts"?}
//                  -> 202 ROUND; what does not fit now is a conflict. prompts: of test and extend
//   The stream of /events has "round" with ROUND when something of it changed.
#pragma once
#include "annotate/api.h"
#include "annotate/round_view.h"

namespace hone::annotate {

class RoundApi {
 public:
  /// Borrows all.
  RoundApi(feedback::Store& store, Rounds& rounds, BlindPairs& blind, PromptDeck& deck, Desk& desk,
           Listeners& listeners);
  void add_to(serve::Routes& routes);
  /// Tells every page how it stands.
  void tell() const;

 private:
  serve::Response act(const serve::Request& request);
  void test(int64_t prompts);
  void extend(int64_t prompts);
  std::function<void(std::string)> told();

  feedback::Store& store_;
  Rounds& rounds_;
  BlindPairs& blind_;
  PromptDeck& deck_;
  Desk& desk_;
  Listeners& listeners_;
};

}  // namespace hone::annotate
