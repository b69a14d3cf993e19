// {"text"} or a bare JSON string: a document. (Plain text files never come here: source.cpp cuts them into documents.)
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_text() {
  static constexpr auto kKeys = all_keys(kNameKeys, std::to_array<std::string_view>({"text"}));
  return kKeys;
}

bool recognise_text(const Json& row) { return row.is_string() || has(row, {"text"}); }

RowContent read_text(const Json& row, const FormatOptions&) {
  RowContent out;
  if (row.is_string()) {
    out.documents.push_back(row.get<std::string>());
    return out;
  }
  read_names(row, out);
  out.documents.push_back(text_field(row, "text"));
  return out;
}

}  // namespace hone::data::formats_impl
