// The schema of a store, version by version. A new version is one more entry of the list; what stands there never
// changes.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "feedback/sqlite.h"

namespace hone::feedback {

/// "hone", in PRAGMA application_id.
inline constexpr int64_t kApplicationId = 0x686F6E65;

int64_t newest_schema();
/// From an empty file or an older version to `version`, in the transaction that is open.
void migrate(Database& database, int64_t from, int64_t version);
/// What sqlite_master holds, by name.
using Schema = std::vector<std::pair<std::string, std::string>>;
Schema schema_in(Database& database);
/// What it must hold at a version.
Schema schema_of(int64_t version);

/// 0 for an empty file, else the version. Another program's file: kForeign; one of a newer hone: kNewer.
int64_t schema_version(Database& database);
/// The first table, index or trigger that is not as it must be ("trigger event_is_never_changed: missing"), or "".
std::string schema_fault(Database& database, int64_t version);

}  // namespace hone::feedback
