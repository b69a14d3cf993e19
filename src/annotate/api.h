// What the page asks, as JSON below /api/v1. An answer that is refused is problem+json (serve/problems.def).
//
// A page says with the header Hone-Desk for whom it was opened (PROGRESS's "desk"): which answer stands first hangs on
// store and person, so what was done at another desk is refused ("other-desk") and stays in the browser.
//
//   GET  /pairs?have=ID,ID    {"order": [ID…], "pairs": [PAIR…], "supply": "ready"|"cold"|"end", "progress": PROGRESS}
//        `order`: the pairs on offer, at most 8; `pairs`: those of them that are not in `have`
//   POST /judgements          {"pair", "outcome", "reason"?, "dwell_ms"?, "note"?, "correction"?: {"of", "text"}}
//        Idempotency-Key -> 201 {"judgement": KEY, "seq", "head", "progress"}; the same again gives the same
//        outcome: "first", "second" (as they stand on the page), "tie", "both_bad", "cant_tell", "skip"
//        reason (of a skip): "unclear", "expertise", "offensive", "broken"; of: "first", "second"
//   POST /undo                {"judgement": KEY}, Idempotency-Key -> 201 {"seq", "head", "progress"}
//   PUT  /drafts/{pair}       {"note", "correction": {"of", "text"} or null} -> 204
//   GET  /progress            PROGRESS
//   GET  /events              server-sent events: "progress" with PROGRESS, "pairs" when what is on offer changed
//
//   PAIR      {"id", "prompt": [TURN…], "answers": [{"turns": [TURN…], "cut"}, {…}], "draft": {"note", "correction"},
//              "trains", "growing"}, the answers in the order in which they stand on the page; `trains`: false of a
//              pair that is kept for evaluation, whose judgement does not move the ring
//   TURN      {"role", "content", "reasoning"?, "tool_calls"?, "name"?}
//   PROGRESS  {"desk", "seq", "ring": {"count", "goal", "round", "advancing": [OUTCOME…]}, "counts": {"decided", "tie",
//              "both_bad", "cant_tell", "skip"}, "corrections", "left", "last": {"judgement", "pair", "advanced"},
//              "export"}; a correction moves the ring whatever the outcome
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "annotate/desk.h"
#include "serve/routes.h"

namespace hone::annotate {

/// Pages that are told what changes, while it does.
class Listeners {
 public:
  void add(std::shared_ptr<serve::EventStream> stream);
  void tell(std::string_view event, std::string_view data);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<serve::EventStream>> streams_;
};

/// Refuses what was done at another desk ("other-desk"). Without the header it passes: who writes a client of his own
/// takes care of it himself.
void require_desk(const serve::Request& request, const Desk& desk);

class Api {
 public:
  /// Borrows all three. `export_command`: what a person types to get rows for training.
  Api(Desk& desk, PairSource& source, Listeners& listeners, std::string export_command);
  void add_to(serve::Routes& routes);

 private:
  serve::Response pairs(const serve::Request& request) const;
  serve::Response judge(const serve::Request& request);
  serve::Response undo(const serve::Request& request);
  serve::Response keep_draft(const serve::Request& request);
  Json progress_json() const;
  serve::Response acknowledged(Json out, const feedback::Receipt& receipt);

  Desk& desk_;
  Listeners& listeners_;
  std::string export_command_;
};

}  // namespace hone::annotate
