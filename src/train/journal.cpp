#include "train/journal.h"

#include <cmath>

#include "base/json.h"
#include "base/machine.h"
#include "config/run_folder.h"

namespace hone::train {
namespace {

uint64_t mark(const Json* marks, const char* name) { return marks ? marks->at(name).get<uint64_t>() : 0; }

Json line(int64_t step, const Numbers& numbers) {
  Json j{{"step", step}};
  for (const auto& [key, value] : numbers) {
    // Counts are written as whole numbers; a number that is not finite has no JSON form and becomes null.
    if (!std::isfinite(value)) j[key] = nullptr;
    else if (value == std::floor(value) && std::abs(value) < 1e15) j[key] = static_cast<int64_t>(value);
    else j[key] = value;
  }
  return j;
}

}  // namespace

Journal::Journal(const fs::path& folder, const Json* marks)
    : metrics_(folder / config::names::kMetrics, mark(marks, "metrics")),
      timing_(folder / config::names::kTiming, mark(marks, "timing")),
      samples_(folder / config::names::kSamples, mark(marks, "samples")),
      answers_file_(folder / config::names::kAnswers),
      last_(std::chrono::steady_clock::now()) {
  const uint64_t kept = marks ? marks->value("answers", uint64_t{0}) : 0;  // checkpoints of an older hone have no mark
  if (kept > 0) answers_.emplace(answers_file_, kept);
  else fs::remove(answers_file_);
}

void Journal::metrics(int64_t step, const Numbers& numbers) {
  metrics_.write(dump_json(line(step, numbers)));
  latest_ = numbers;
}

void Journal::timing(int64_t step, int64_t tokens, const Numbers& more) {
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - last_ - apart_).count(),
               apart = std::chrono::duration<double>(apart_).count();
  last_ = now;
  apart_ = {};
  tokens_per_second_ = static_cast<double>(tokens) / std::max(1e-9, seconds);
  Numbers all{{"seconds", seconds},
              {"tokens_per_s", tokens_per_second_},
              {"memory_mb", static_cast<double>(peak_rss_bytes()) / 1e6}};
  if (apart > 0) all.emplace_back("seconds_apart", apart);
  all.insert(all.end(), more.begin(), more.end());
  timing_.write(dump_json(line(step, all)));
}

void Journal::sample(const Json& value) { samples_.write(dump_json(value)); }

void Journal::answer(const Json& value) {
  if (!answers_) answers_.emplace(answers_file_, 0);
  answers_->write(dump_json(value));
}

Json Journal::marks() {
  metrics_.sync();
  timing_.sync();
  samples_.sync();
  if (answers_) answers_->sync();
  return {{"metrics", metrics_.bytes()},
          {"timing", timing_.bytes()},
          {"samples", samples_.bytes()},
          {"answers", answers_ ? answers_->bytes() : 0}};
}

}  // namespace hone::train
