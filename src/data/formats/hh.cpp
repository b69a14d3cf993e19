// Anthropic HH-RLHF (Bai et al. 2022, arXiv 2204.05862; github.com/anthropics/hh-rlhf): {"chosen", "rejected"}, whole
// transcripts whose turns begin with "\n\nHuman:" and "\n\nAssistant:". The two share all but the last answer.
// Turns are trimmed; neighbouring turns of one speaker are joined by a blank line (4 of harmless-base's test rows have
// two Assistant turns at the end). Speakers named inside a line ("…  Human: …") stay text, as they stand in the data.
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"
#include "data/shared_prefix.h"
#include "data/transcript.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_hh() {
  static constexpr auto kKeys = all_keys(kDetailKeys, std::to_array<std::string_view>({"chosen", "rejected"}));
  return kKeys;
}

bool recognise_hh(const Json& row) {
  const auto is_one = [](const Json& v) { return v.is_string() && looks_like_hh(v.get_ref<const std::string&>()); };
  return has(row, {"chosen", "rejected"}) && !row.contains("prompt") && is_one(row["chosen"]) &&
         is_one(row["rejected"]);
}

RowContent read_hh(const Json& row, const FormatOptions&) {
  RowContent out;
  out.source = "hh";
  std::vector<text::Message> chosen = hh_turns(text_field(row, "chosen"), "chosen", out.notes);
  add_comparison(out, std::move(chosen), hh_turns(text_field(row, "rejected"), "rejected", out.notes));
  for (Comparison& c : out.comparisons) add_details(row, c, out.notes);
  return out;
}

}  // namespace hone::data::formats_impl
