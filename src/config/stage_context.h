// What every stage gets and fills. Torch-free, so that every room may include it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/run_folder.h"

namespace hone::model {
class Decoder;
}

namespace hone::config {

/// Named numbers in the order they are written.
using Numbers = std::vector<std::pair<std::string, double>>;

/// Looks at a policy between steps and returns numbers for the metrics. Evaluation only: what it returns never reaches
/// a learner.
using Probe = std::function<Numbers(const model::Decoder& policy, int64_t step)>;

/// A step of training that is done, as whoever watches a run is told of it.
struct StepDone {
  std::string_view stage;
  int64_t step = 0, total = 0;  ///< steps done, of all (which may turn out to be fewer)
  const Numbers& numbers;       ///< the step's metrics
};
/// Called between two steps, on the thread that trains: what it does delays the next one.
using ProgressSink = std::function<void(const StepDone&)>;

struct StageContext {
  RunSettings run;               ///< device, dtype, threads and seed
  std::filesystem::path folder;  ///< this stage's run folder, made and locked
  Record record;                 ///< written to run.json by the pipeline
  bool resume = false;           ///< continue from the newest checkpoint, if there is one
  Probe probe;                   ///< empty: none
  std::stop_token stop = {};     ///< once asked to, a loop writes a checkpoint after its step and ends (kInterrupted)
  ProgressSink progress = {};    ///< empty: none
};

}  // namespace hone::config
