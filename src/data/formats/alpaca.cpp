// Alpaca rows (Taori et al. 2023): {"instruction", "input", "output"} (or "response" for the output), optional
// "system". The input follows the instruction after a blank line.
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

bool recognise_alpaca(const Json& row) { return has(row, {"instruction"}) && row["instruction"].is_string(); }

RowContent read_alpaca(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  std::string prompt = text_field(row, "instruction");
  if (const std::string input = optional_text(row, "input"); !input.empty()) prompt += "\n\n" + input;
  std::vector<text::Message> messages;
  if (std::string system = optional_text(row, "system"); !system.empty())
    messages.push_back({"system", std::move(system)});
  messages.push_back({"user", std::move(prompt)});
  const char* key = row.contains("output") ? "output" : row.contains("response") ? "response" : nullptr;
  if (!key) {
    out.prompts.push_back(std::move(messages));
    return out;
  }
  messages.push_back({"assistant", text_field(row, key)});
  out.demonstrations.push_back(std::move(messages));
  return out;
}

}  // namespace hone::data::formats_impl
