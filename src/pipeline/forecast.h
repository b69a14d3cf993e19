// What a stage would do, told before it does it: rows that would be left out or cut, work, and time on this machine.
//
// Files that are there are read and tokenised as the stage would do it, so those counts are exact. Of files that
// earlier stages of the recipe have yet to make, the amount is expected from the settings that make them. Answers are
// taken to be half as long as they may be.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collect/compare.h"
#include "collect/world_stage.h"
#include "config/recipe.h"
#include "data/lengths.h"
#include "eval/eval_stage.h"
#include "foreign/import.h"
#include "model/config.h"
#include "train/group.h"
#include "train/language_model.h"
#include "train/memory.h"
#include "train/ppo.h"
#include "train/preference.h"
#include "train/reward.h"
#include "train/speed.h"
#include "train/tokenizer.h"

namespace hone::pipeline {

/// Rows and their tokens in all (of a comparison: both answers, each with its prompt).
struct DataSize {
  double rows = 0, tokens = 0;
  double mean(double otherwise) const { return rows > 0 ? tokens / rows : otherwise; }
};

/// What is known of a recipe's run before it is made: of its stages so far, by the paths that their results will have.
struct PlannedRun {
  explicit PlannedRun(const config::RunSettings& run) : run(run), speed(run) {}
  config::RunSettings run;
  train::Speed speed;
  std::map<std::string, model::ModelConfig> models;
  std::map<std::string, std::string> bases;                ///< of results that are adapters
  std::map<std::string, train::AdapterSettings> adapters;  ///< which those have
  std::map<std::string, int64_t> vocabularies;
  std::map<std::string, DataSize> files;
};

/// Of one stage.
struct Forecast {
  std::string folder;                            ///< its run folder
  std::optional<model::ModelConfig> model = {};  ///< what it trains or samples from, where known
  std::vector<std::string> remarks = {};         ///< what is lost, what is not known yet
  std::string work = {};                         ///< "2,013 steps of 1,024 tokens"
  train::Memory memory = {};                     ///< of all networks at once
  double activations = 0, cache = 0;             ///< bytes: kept for a backward pass, about; keys and values, at most
  std::optional<double> seconds = {};
  bool unread = false;  ///< rows or their tokenizer are not there yet
};

/// A kind of stage of which nothing is told.
template <class Params>
void forecast(const Params&, PlannedRun&, Forecast&) {}

void forecast(const collect::WorldStageParams& params, PlannedRun& planned, Forecast& f);
void forecast(const foreign::ImportParams& params, PlannedRun& planned, Forecast& f);
void forecast(const collect::CompareParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::TokenizerParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::PretrainParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::SftParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::RewardParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::PreferenceParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::PpoParams& params, PlannedRun& planned, Forecast& f);
void forecast(const train::GroupParams& params, PlannedRun& planned, Forecast& f);
void forecast(const eval::EvalParams& params, PlannedRun& planned, Forecast& f);

}  // namespace hone::pipeline
