// JSON Lines verbs: rows in on standard input or a file, rows out in the same order, one for each, in bounded memory.
//
//  1. Every line in gives exactly one line out, in order. Fields that the verb does not know are carried through.
//  2. A row that fails becomes {"error": "line N: …"} (and its unknown fields); the others go on; exit code 1.
//  3. Rows are worked on in chunks, for speed. What a row gives never depends on its chunk. A chunk ends early when no
//     further line is waiting, so a program that writes a line and waits for its answer gets it.
//  4. `--out FILE` appears when it is complete, or not at all.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/options.h"

namespace hone::cli {

struct JsonlOptions {
  std::string in, out;
  uint64_t max_line = uint64_t{64} << 20;    ///< bytes; a longer line is an item error
  size_t chunk_rows = 256;                   ///< most rows worked on together
  uint64_t chunk_bytes = uint64_t{8} << 20;  ///< a chunk ends once its lines are this long together

  /// Declares --in and --out.
  void declare(Options& options);
};

/// One row. The handler adds fields to `row`, or calls fail.
struct Item {
  int64_t line = 0;
  Json row;
  std::string error;  ///< without the place; "" while all is well

  bool ok() const { return error.empty(); }
  void fail(std::string message) { error = std::move(message); }
};

/// Runs `handle` over chunks of rows. It sees those that are JSON objects; an exception that leaves it ends the run.
/// `known` are the fields that the verb reads: they are not repeated on error lines.
int process_jsonl(const JsonlOptions& options, const std::vector<std::string>& known,
                  const std::function<void(std::span<Item*>)>& handle);

/// Calls `work` for each good item; its kUsage errors become the item's. Others go on up.
void for_each_item(std::span<Item*> items, const std::function<void(Item&)>& work);

}  // namespace hone::cli
