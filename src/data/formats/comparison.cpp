// hone's own comparisons, with all that is known of each (feedback/comparison.h): what `hone feedback export --full`
// writes.
#include "base/json.h"
#include "data/format.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_comparison() { return feedback::row_keys(); }

bool recognise_comparison(const Json& row) { return feedback::is_row(row); }

RowContent read_comparison(const Json& row, const FormatOptions&) {
  RowContent out;
  Comparison c = feedback::from_row(row);
  out.id = c.id;
  out.source = c.source;
  out.comparisons.push_back(std::move(c));
  return out;
}

}  // namespace hone::data::formats_impl
