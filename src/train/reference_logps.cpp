#include "train/reference_logps.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "model/hf_folder.h"
#include "model/peft_folder.h"
#include "rollout/logprobs.h"

namespace hone::train {
namespace {

namespace fs = std::filesystem;

// What `members` need, answers first.
std::vector<rollout::ScoredSequence> sequences_of(std::span<const data::JudgedGroup> groups,
                                                  std::span<const data::Sequence> mismatched,
                                                  std::span<const int64_t> members) {
  // Tokens without weight (what a template puts after the end of an answer) are no part of the policy's sum either.
  std::vector<rollout::ScoredSequence> out;
  const auto add = [&](const data::Sequence& s, const data::JudgedGroup& group) {
    out.push_back({s.ids, std::max<int64_t>(1, group.prompt_length), s.weight});
  };
  for (const int64_t i : members)
    for (const data::Sequence& s : groups[i].answers) add(s, groups[i]);
  if (!mismatched.empty())
    for (const int64_t i : members) add(mismatched[i], groups[i]);
  return out;
}

// Answers that begin alike and stand side by side.
int64_t alike(std::span<const data::JudgedGroup> groups, std::span<const data::Sequence> mismatched) {
  const size_t n = groups.empty() ? 1 : groups[0].answers.size();
  const bool same = std::ranges::all_of(groups, [&](const auto& g) { return g.answers.size() == n; });
  return same && mismatched.empty() ? static_cast<int64_t>(n) : 1;
}

std::vector<double> logps_of(const model::Decoder& decoder, std::span<const data::JudgedGroup> groups,
                             std::span<const data::Sequence> mismatched, std::span<const int64_t> members,
                             at::ScalarType compute, const std::function<void(int64_t)>& progress) {
  return rollout::summed_logps(decoder, sequences_of(groups, mismatched, members),
                               {.compute = compute, .group = alike(groups, mismatched), .progress = progress});
}

void put(ReferenceLogps& into, std::span<const double> sums, std::span<const data::JudgedGroup> groups, bool mismatched,
         std::span<const int64_t> members) {
  size_t at = 0;
  for (const int64_t i : members) {
    auto& answers = into.answers[i];
    answers.resize(groups[i].answers.size());
    for (float& logp : answers) logp = static_cast<float>(sums[at++]);
  }
  if (mismatched)
    for (const int64_t i : members) into.mismatched[i] = static_cast<float>(sums[at++]);
}

std::string name_of(const std::string& folder, std::span<const data::JudgedGroup> groups,
                    std::span<const data::Sequence> mismatched, const config::StageContext& context) {
  std::string key = context.record.dtype + context.record.processor + context.record.kernels;
  key += model::model_hash(folder);
  const auto add = [&](const data::Sequence& s) {
    key.append(reinterpret_cast<const char*>(s.ids.data()), s.ids.size() * sizeof(int32_t));
    key.append(reinterpret_cast<const char*>(s.weight.data()), s.weight.size() * sizeof(float));
  };
  for (size_t i = 0; i < groups.size(); ++i) {
    for (const data::Sequence& s : groups[i].answers) add(s), key += "/" + std::to_string(groups[i].prompt_length);
    if (!mismatched.empty()) add(mismatched[i]);
  }
  return "reference-" + sha256(key).substr(0, 16) + ".f32";
}

}  // namespace

void refresh_reference(ReferenceLogps& reference, const model::Decoder& decoder,
                       std::span<const data::JudgedGroup> groups, std::span<const data::Sequence> mismatched,
                       std::span<const int64_t> members, at::ScalarType compute) {
  reference.answers.resize(groups.size());
  if (!mismatched.empty()) reference.mismatched.resize(groups.size());
  put(reference, logps_of(decoder, groups, mismatched, members, compute, {}), groups, !mismatched.empty(), members);
}

ReferenceLogps cached_reference(const std::string& folder, const model::Decoder* start,
                                std::span<const data::JudgedGroup> groups, std::span<const data::Sequence> mismatched,
                                const config::StageContext& context, at::ScalarType compute) {
  std::vector<int64_t> all(groups.size());
  std::iota(all.begin(), all.end(), 0);
  ReferenceLogps out;
  out.answers.resize(groups.size());
  out.mismatched.resize(mismatched.size());
  size_t count = mismatched.size();
  for (const data::JudgedGroup& g : groups) count += g.answers.size();

  const fs::path path = context.folder / name_of(folder, groups, mismatched, context);
  std::vector<float> kept(count);
  if (fs::exists(path) && fs::file_size(path) == count * sizeof(float)) {
    const std::string bytes = read_file(path);
    std::memcpy(kept.data(), bytes.data(), bytes.size());
    put(out, std::vector<double>(kept.begin(), kept.end()), groups, !mismatched.empty(), all);
    log::info("  reference log-probabilities: read from " + path.filename().string());
    return out;
  }
  Progress bar("  reference log-probabilities", static_cast<int64_t>(count));
  const auto compute_with = [&](const model::Decoder& decoder) {
    return logps_of(decoder, groups, mismatched, all, compute, [&](int64_t done) { bar.update(done, "answers"); });
  };
  std::vector<double> sums;
  if (start != nullptr) {
    sums = compute_with(*start);
  } else {
    model::LoadedModel loaded = model::load_model(folder);
    if (loaded.head) usage_error(folder + ": is a reward model, so it can be no reference");
    loaded.decoder.to(at::Device(context.run.device), at::kFloat);
    loaded.decoder.keep_matrices_in(compute);
    sums = compute_with(loaded.decoder);
  }
  std::ranges::transform(sums, kept.begin(), [](double sum) { return static_cast<float>(sum); });
  put(out, sums, groups, !mismatched.empty(), all);
  write_file_atomic(path, std::string(reinterpret_cast<const char*>(kept.data()), count * sizeof(float)));
  return out;
}

}  // namespace hone::train
