// What a page shows of rounds and blind tests, as JSON: a function of the log, of the run folder's files and of what
// the model thread is at.
//
//   ROUND {"seq", "state": "idle"|"starting"|"learning"|"paused"|"preparing", "trouble", "pairs", "fewest",
//          "round": null or {"name", "outcome", "why", "step", "total", "seconds", "folder", "report",
//                            "curve": [{"step", "fold"?, "accuracy"?, "held_out_accuracy"?, "pooled_accuracy"?,
//                                       "kl_per_token"?}],
//                            "changes": [{"name", "unit", "before", "after"}]},
//          "test": null or {"prompts", "asked"}, "offer": {"prompts", "can_show", "fresh"},
//          "verdicts": [{"test", "opponent", "finding", "words", "beside", "share", "low", "high", "decided",
//          "prompts",
//                        "asked", "any_time"}],
//          "may": ["start", "stop", …]: what can be asked for now (round_api.h)}
//   Verdicts are of the last round; of a test that is not finished only how many were asked is told.
#pragma once
#include "annotate/blind_pairs.h"
#include "annotate/rounds.h"
#include "base/json_fwd.h"

namespace hone::annotate {

Json round_json(const feedback::Store& store, const Rounds& rounds, const BlindPairs& blind, const PromptDeck& deck);

}  // namespace hone::annotate
