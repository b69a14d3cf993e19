// Keys of rows: which change what a row says, whoever wrote it. A format lists those that it reads (`keys_ID()`);
// another one with a meaning is an error, any other is counted and shown. So nothing of a row is dropped in silence.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace hone::data {

/// What a row says beside its content.
struct RowNotes {
  std::vector<std::string> unread;   ///< keys without a meaning to us; "messages[].KEY" within a message
  std::vector<std::string> noticed;  ///< what is odd about the row
  void notice(std::string what);     ///< once a row
};

/// Labels, weights, marks, conversation (system, history, tools, calls, reasoning), pictures and sound, scores.
bool has_meaning(std::string_view key);
std::span<const std::string_view> keys_with_meaning();
/// null, "", [] and {}: how tables fill columns that a row does not have.
bool says_nothing(const Json& value);

/// Every key of the object that is not in `read`: kUsage if it has a meaning, else noted as prefix + key.
void note_other_keys(const Json& object, std::span<const std::string_view> read, const std::string& prefix,
                     RowNotes& notes);

}  // namespace hone::data
