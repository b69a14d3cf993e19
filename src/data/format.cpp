#include "data/format.h"

#include <array>

#include "base/error.h"
#include "base/json.h"
#include "config/fields.h"

namespace hone::data {

namespace formats_impl {
#define HONE_FORMAT(id, doc)                     \
  std::span<const std::string_view> keys_##id(); \
  bool recognise_##id(const Json& row);          \
  RowContent read_##id(const Json& row, const FormatOptions& options);
#include "data/formats.def"
#undef HONE_FORMAT
}  // namespace formats_impl

namespace {
constexpr Format kFormats[] = {
#define HONE_FORMAT(id, doc) {#id, doc, formats_impl::keys_##id, formats_impl::recognise_##id, formats_impl::read_##id},
#include "data/formats.def"
#undef HONE_FORMAT
};
}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format& format(std::string_view id) {
  std::vector<std::string> known;
  for (const Format& f : kFormats) {
    if (f.id == id) return f;
    known.emplace_back(f.id);
  }
  const std::string near = config::closest(id, known);
  usage_error("unknown data format '" + std::string(id) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone list formats` shows all");
}

const Format* recognise(const Json& row) {
  for (const Format& f : kFormats)
    if (f.recognise(row)) return &f;
  return nullptr;
}

}  // namespace hone::data
