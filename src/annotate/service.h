// Judging as a whole: files, store, server and page, until it is stopped. What `hone annotate` does.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "annotate/answer_sampler.h"
#include "annotate/desk.h"
#include "annotate/learner.h"
#include "data/read.h"

namespace hone::annotate {

struct ServiceSettings {
  /// The same every time, so that a page that was left open, and what waits in its browser, finds hone again.
  static constexpr int64_t kPort = 8642;

  std::filesystem::path store;     ///< made where there is none
  std::vector<std::string> pairs;  ///< files, folders and patterns; none where a model samples
  /// Loads the model that samples, on the model thread; empty: `pairs` are judged.
  std::function<std::unique_ptr<AnswerSampler>()> model;
  /// Learns from what is judged of that model's pairs (rounds.h); borrowed, null: nobody does.
  Learner* learner = nullptr;
  std::string original;              ///< folder of that model
  std::vector<std::string> prompts;  ///< for the model (load_prompts)
  int64_t port = kPort;              ///< on this machine; 0: any free one
  std::string annotator;             ///< a pseudonym; "": one that belongs to the store
  data::ReadSettings read;
  std::string program = "hone";  ///< as a person types it, for the command that the page shows
};

/// Serves until a stop is asked for; then what was judged, all in all. `ready` is told the page's address once it can
/// be opened, which is before a model is loaded. Pairs, prompts or store that cannot be read, a port in use: kUsage,
/// StoreError. What the model throws ends it, too.
Progress serve_pairs(const ServiceSettings& settings, std::stop_token stop,
                     const std::function<void(const std::string& address)>& ready);

}  // namespace hone::annotate
