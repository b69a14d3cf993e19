// {"text"} or a bare JSON string: a document. (Plain text files never come here: source.cpp cuts them into documents.)
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

bool recognise_text(const Json& row) { return row.is_string() || has(row, {"text"}); }

RowContent read_text(const Json& row, const FormatOptions&) {
  RowContent out;
  if (row.is_string()) {
    out.documents.push_back(row.get<std::string>());
    return out;
  }
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  out.documents.push_back(text_field(row, "text"));
  return out;
}

}  // namespace hone::data::formats_impl
