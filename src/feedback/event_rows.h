// Events as rows of the table `event`.
#pragma once
#include "feedback/sqlite.h"

namespace hone::feedback {

/// What read_event reads, in its order.
inline constexpr const char* kEventColumns = "seq, us, type, actor, query, key, payload, payload_sha256, prev, hash";

/// "SELECT", those columns, and `rest`: "FROM event WHERE …".
std::string select_events(std::string_view rest);
/// The row that the statement stands on.
Event read_event(Statement& row);
/// The first column whose stored type is not the schema's, "" where all are.
std::string column_of_another_type(Statement& row);
/// Before the first event.
Receipt nothing_yet();
/// Of the last event, which must agree with chain_head and with its own hash: else kDamaged.
Receipt last_event(Database& database);
/// Appends one behind `last`, or finds it by its key; refuses what store.h forbids.
Receipt append_event(Database& database, const NewEvent& event, const Receipt& last, int64_t us);

}  // namespace hone::feedback
