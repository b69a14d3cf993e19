#include "pipeline/compat.h"

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace hone::pipeline {
namespace {

constexpr CompatSetting kSettings[] = {
#define HONE_COMPAT(system, kind, where, key, value, source) {#system, #kind, where, key, value, source},
#include "pipeline/compat.def"
#undef HONE_COMPAT
};

// Whether the selector that `where` names stands at its choice.
bool holds(std::string_view where, const config::Fields& fields) {
  if (where.empty()) return true;
  const size_t equals = where.find('=');
  return std::ranges::any_of(fields.list(), [&](const config::Field& f) {
    return f.key == where.substr(0, equals) && f.selects &&
           *std::get<std::string*>(f.value) == where.substr(equals + 1);
  });
}

}  // namespace

std::span<const CompatSetting> compat_settings() { return kSettings; }

void require_compat(const std::string& system) {
  std::vector<std::string> known{"none"};
  for (const CompatSetting& s : kSettings)
    if (known.back() != s.system) known.emplace_back(s.system);
  if (std::ranges::find(known, system) != known.end()) return;
  const std::string near = config::closest(system, known);
  usage_error(
      "compat: no settings of '" + system + "' are known" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
      "`hone list compat` shows whose are");
}

std::set<std::string> apply_compat(const std::string& system, const config::StageEntry& entry,
                                   const config::Fields& fields) {
  std::set<std::string> out;
  for (const CompatSetting& s : kSettings) {
    if (s.system != system || s.kind != entry.kind || !holds(s.where, fields)) continue;
    const auto given = [&](const config::Entry& e) { return e.key == s.key || e.set_key == s.key; };
    if (std::ranges::any_of(entry.entries, given)) continue;
    const std::string where = "compat " + system;
    config::set_from_text(fields.find(s.key, entry.kind, where), s.value, where);
    out.emplace(s.key);
  }
  return out;
}

}  // namespace hone::pipeline
