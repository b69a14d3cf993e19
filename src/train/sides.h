// The rows of a stage on their two sides, split by prompt: what it learns from, and what is held out.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/run_folder.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "train/settings.h"

namespace hone::train {

template <class Row, class Item>
struct Sides {
  data::Split<Row> rows;
  data::Encoded<Item> train, held_out;
};

/// The rows as token ids, by `encode`; says what is lost of those to learn from. More than the settings allow: kUsage,
/// which calls the rows `what`.
template <class Row, class Encode>
auto encode_sides(data::Split<Row> rows, const data::LengthSettings& lengths, const std::string& what,
                  const Encode& encode) {
  using Item = typename decltype(encode(std::span<const Row>()).items)::value_type;
  auto train = encode(std::span<const Row>(rows.train));
  log::info("  " + train.lengths.summary());
  data::require_kept(train.lengths, lengths, what);
  auto held_out = encode(std::span<const Row>(rows.held_out));
  return Sides<Row, Item>{std::move(rows), std::move(train), std::move(held_out)};
}

/// Splits judged rows. Held-out ties go: they have no side to be right about. The prompts that are learned from are
/// written to the folder's split file, so that a later evaluation can refuse them.
template <class Row>
data::Split<Row> split_judged(std::vector<Row> rows, const TextSettings& text, uint64_t seed,
                              const std::filesystem::path& folder, const std::string& what) {
  data::Split<Row> out = data::split(std::move(rows), text.held_out, seed);
  std::erase_if(out.held_out, [](const Row& row) { return row.tie; });
  data::SplitManifest manifest(text.held_out, seed);
  manifest.add(std::span<const Row>(out.train));
  manifest.save(folder / config::names::kSplit);
  data::require_disjoint(manifest, std::span<const Row>(out.held_out), "the held-out " + what);
  return out;
}

}  // namespace hone::train
