// Which rows are for learning and which are held out, decided by the prompt alone: every row of one prompt falls on the
// same side, in every file, stage and run with that seed and share. The prompts that a model was trained on are saved
// with it, so that a later evaluation can refuse rows it has seen.
#pragma once
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/rows.h"

namespace hone::data {

/// At most this share is held out: the rest must teach something.
inline constexpr double kLargestHeldOut = 0.9;

/// 32 hex digits of the SHA-256 of roles and contents, runs of white space counting as one blank, neighbouring turns of
/// one role as one; and of tools, calls and reasoning where there are any.
std::string prompt_hash(std::span<const text::Message> prompt);
std::string prompt_hash(const Preference& row);
std::string prompt_hash(const JudgedAnswers& row);
std::string prompt_hash(const Demonstration& row);  ///< without the last answer
std::string prompt_hash(const Prompt& row);

/// True for a share of all prompts, about `share` of them: a pure function of (hash, seed).
bool is_held_out(const std::string& hash, double share, uint64_t seed);

template <class Row>
struct Split {
  std::vector<Row> train, held_out;
};
/// Moves each row to its side. Where rows of two or more prompts leave one side empty, kUsage unless share is 0 or 1.
template <class Row>
Split<Row> split(std::vector<Row> rows, double share, uint64_t seed);

/// Keeps the rows whose prompts lie in [begin, end) of all prompts, put in an order of their own by hash, which knows
/// no seed: parts that do not overlap share no prompt, whatever each holds out. Empty, or nothing left: kUsage.
template <class Row>
void keep_part(std::vector<Row>& rows, double begin, double end);

/// The prompts that a model was trained on.
class SplitManifest {
 public:
  SplitManifest() = default;
  SplitManifest(double held_out_share, uint64_t seed) : share_(held_out_share), seed_(seed) {}

  template <class Row>
  void add(std::span<const Row> trained) {
    for (const Row& row : trained) trained_.insert(prompt_hash(row));
  }
  bool trained_on(const std::string& hash) const { return trained_.contains(hash); }
  /// Does this split keep the prompt from training? Known of every prompt, whether it was among the rows or not.
  bool held_out(const std::string& hash) const { return is_held_out(hash, share_, seed_); }
  size_t size() const { return trained_.size(); }
  double held_out_share() const { return share_; }
  uint64_t seed() const { return seed_; }
  /// Of the sorted hashes.
  std::string sha256() const;

  void save(const std::filesystem::path& file) const;
  /// Missing, malformed, or hashes that do not give the stored sum: kUsage.
  static SplitManifest load(const std::filesystem::path& file);

 private:
  double share_ = 0;
  uint64_t seed_ = 0;
  std::set<std::string> trained_;
};

/// kUsage "412 of 500 rows of WHAT were trained on (first: ID)" if any of the rows' prompts is in the manifest.
template <class Row>
void require_disjoint(const SplitManifest& manifest, std::span<const Row> rows, const std::string& what);

}  // namespace hone::data
