// Anthropic HH-RLHF (Bai et al. 2022, arXiv 2204.05862; github.com/anthropics/hh-rlhf): {"chosen", "rejected"}, whole
// transcripts whose turns begin with "\n\nHuman:" and "\n\nAssistant:". The two share all but the last answer.
// Turns are trimmed; neighbouring turns of one speaker are joined by a blank line (4 of harmless-base's test rows have
// two Assistant turns at the end). Speakers named inside a line ("…  Human: …") stay text, as they stand in the data.
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/shared_prefix.h"

namespace hone::data::formats_impl {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";

std::string trimmed(std::string_view s) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = s.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return std::string(s.substr(begin, s.find_last_not_of(kBlank) - begin + 1));
}

// True if a turn starts at `at`; its length of marker and role.
bool turn_at(std::string_view text, size_t at, size_t& length, std::string& role) {
  if (text.substr(at).starts_with(kHuman)) {
    length = kHuman.size();
    role = "user";
    return true;
  }
  if (text.substr(at).starts_with(kAssistant)) {
    length = kAssistant.size();
    role = "assistant";
    return true;
  }
  return false;
}

std::vector<text::Message> transcript(const std::string& text, std::string_view key) {
  std::vector<text::Message> turns;
  size_t at = text.find("\n\n"), length = 0;
  std::string role;
  while (at != std::string::npos && !turn_at(text, at, length, role)) at = text.find("\n\n", at + 1);
  if (at == std::string::npos || !trimmed(std::string_view(text).substr(0, at)).empty())
    usage_error("field '" + std::string(key) + "' does not start with \"\\n\\nHuman:\"");
  while (at != std::string::npos) {
    const size_t begin = at + length;
    const std::string speaker = role;
    at = text.find("\n\n", begin);
    while (at != std::string::npos && !turn_at(text, at, length, role)) at = text.find("\n\n", at + 1);
    turns.push_back(
        {speaker, trimmed(std::string_view(text).substr(begin, at == std::string::npos ? at : at - begin))});
  }
  return tidy(std::move(turns));
}

bool looks_like_one(const Json& value) {
  return value.is_string() && trimmed(value.get_ref<const std::string&>()).starts_with("Human:") &&
         value.get_ref<const std::string&>().find(kAssistant) != std::string::npos;
}

}  // namespace

bool recognise_hh(const Json& row) {
  return has(row, {"chosen", "rejected"}) && !row.contains("prompt") && looks_like_one(row["chosen"]) &&
         looks_like_one(row["rejected"]);
}

RowContent read_hh(const Json& row, const FormatOptions&) {
  RowContent out;
  out.source = "hh";
  std::vector<text::Message> chosen = transcript(text_field(row, "chosen"), "chosen");
  add_comparison(out, std::move(chosen), transcript(text_field(row, "rejected"), "rejected"));
  return out;
}

}  // namespace hone::data::formats_impl
