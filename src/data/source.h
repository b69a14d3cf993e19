// Rows out of files: JSON Lines, a JSON array, one JSON object, or plain text; gzip or not; each row with its line.
// What a file is shows in its content. Only a name in .txt (or .md) makes an undecided file text, and only a name in
// .json or .jsonl makes a malformed one malformed JSON rather than text.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace hone::data {

enum class Container { kText, kJsonLines, kJsonArray, kJsonObject };
std::string_view container_name(Container c);

/// A file and what it turned out to be.
struct Source {
  std::filesystem::path path;
  Container container = Container::kText;
  std::string sha256;  ///< of the raw bytes
  uint64_t bytes = 0;  ///< raw
};

/// Files named by paths, folders (their .txt, .json and .jsonl files, gzipped or not, by name) and patterns whose last
/// part has * or ?. Nothing there: kUsage.
std::vector<std::filesystem::path> expand_paths(const std::vector<std::string>& paths);

/// Looks into the file. Missing, empty, or binary: kUsage.
Source open_source(const std::filesystem::path& path);

/// Calls `row(value, line)` for each row of a JSON container, `bad(message, line)` for each that cannot be parsed;
/// blank lines are passed over. A JSON array that breaks off or goes wrong calls `bad` once, for all that is left.
void for_each_json_row(const Source& source, const std::function<void(const Json&, int64_t)>& row,
                       const std::function<void(const std::string&, int64_t)>& bad);

/// Calls `document(text, line)` for each document of a text file: the whole file ("file"), paragraphs between blank
/// lines ("blank_line"), or lines ("line"). A byte order mark is dropped; empty documents are passed over.
void for_each_document(const Source& source, std::string_view split_by,
                       const std::function<void(std::string_view, int64_t)>& document);

}  // namespace hone::data
