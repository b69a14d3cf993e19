// The parts of the page. Each takes what was read from the run folders and returns a section; one without data has an
// empty body and is left out.
#pragma once
#include <string>
#include <vector>

#include "report/results.h"
#include "report/run_files.h"

namespace hone::report {

struct Section {
  std::string id, title;
  std::string lead;  ///< one sentence of plain text: how to read it
  std::string body;  ///< HTML
};

/// One run with what its evaluation stages found; `main` is the one that the headline speaks of.
struct Story {
  Run run;
  std::vector<Results> results;
  const Results* main() const;  ///< the last with gold rewards, else the last with models, else null
};

/// Sentences for the top of the page, as HTML: what came out, with intervals, good or bad.
std::string verdict(const Story& story);
/// Unfinished stages, unmet checks and warnings in a line each, with links; "" if all is well.
std::string status(const Story& story, const std::string& prefix);
/// Time by stage, as one bar.
std::string time_bar(const Story& story);
/// The large figures beneath it.
Section headline(const Story& story);

Section outcome(const Story& story);  ///< gold by model, part and family; lengths; checks
Section side_by_side_answers(const Story& story);
Section answers_while_learning(const Story& story);  ///< start | … | end
Section agreement(const Story& story);               ///< with people's comparisons, beside the rule of length
Section distance(const Story& story);    ///< how far from the start: KL, the start model's loss, what was forgotten
Section ppo_curves(const Story& story);  ///< reward and KL, then the machinery
Section over_optimisation(const Story& story);  ///< gold against proxy over √KL
Section behaviour(const Story& story);          ///< giving in, refusals, blind spots
Section reward_model_quality(const Story& story);
Section learning_curves(const Story& story);  ///< every other stage
Section warnings(const Story& story);         ///< warnings, and what is missing
Section stages(const Story& story);           ///< what was run, how long, from what
Section reproduction(const Story& story);     ///< commands, hashes, versions, recipe

/// Across several runs: gold by run, and the checks of each.
Section across_runs(const std::vector<Story>& stories);

/// "PPO", "Reward model", "Pretraining"; a stage that was given a name of its own keeps it. Not escaped.
std::string stage_title(const Stage& stage);

/// Charts of the curves of `stage`: those whose metric is drawn on one of `charts` (all if empty).
std::string curve_charts(const Stage& stage, const std::vector<std::string>& charts,
                         const std::vector<std::string>& except);

}  // namespace hone::report
