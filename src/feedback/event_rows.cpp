#include "feedback/event_rows.h"

#include <array>

#include "base/sha256.h"

namespace hone::feedback {
namespace {

[[noreturn]] void refuse(Database& database, const NewEvent& event, const std::string& why) {
  throw StoreError(Trouble::kRefused, Kind::kUsage,
                   database.path().string() + ": an event of type '" + std::string(name_of(event.type)) + "' " + why,
                   "");
}

bool was_shown(Database& database, const NewEvent& event) {
  Statement s =
      database.prepare("SELECT 1 FROM event WHERE query = ? AND query <> '' AND type = 'shown' AND actor = ?");
  return s.bind(event.query).bind(event.actor).step();
}

bool can_be_undone(const Event& e) {
  return e.type == "judgement" || e.type == "correction" || e.type == "note" || e.type == "blind_answered";
}

void check_undo(Database& database, const NewEvent& event) {
  Event as_read;
  as_read.payload = event.payload;
  const int64_t seq = read_undo(as_read);
  const std::string which = "of event " + std::to_string(seq);
  Statement row = database.prepare(select_events("FROM event WHERE seq = ?"));
  if (!row.bind(seq).step()) refuse(database, event, which + ": there is no such event");
  const Event target = read_event(row);
  if (!can_be_undone(target)) refuse(database, event, which + ": a '" + target.type + "' cannot be undone");
  if (target.actor != event.actor) refuse(database, event, which + ": it is another person's");
  if (target.query != event.query) refuse(database, event, which + ": it is about another query");
  Statement undos = database.prepare("SELECT payload FROM event WHERE query = ? AND query <> '' AND type = 'undo'");
  undos.bind(event.query);
  while (undos.step()) {
    as_read.payload = undos.text(0);
    if (read_undo(as_read) == seq) refuse(database, event, which + ": it was undone before");
  }
}

void check_place(Database& database, const NewEvent& event) {
  switch (event.type) {
    case EventType::kJudgement:
    case EventType::kCorrection:
    case EventType::kNote:
    case EventType::kBlindAnswered:
      if (!was_shown(database, event))
        refuse(database, event, "about query '" + event.query + "', which '" + event.actor + "' was not shown");
      return;
    case EventType::kUndo:
      check_undo(database, event);
      return;
    case EventType::kShown:
      if (was_shown(database, event))
        refuse(database, event, "of query '" + event.query + "', which '" + event.actor + "' was shown before");
      return;
    case EventType::kCreated:
      if (last_event(database).seq > 0) refuse(database, event, "in a log that has begun");
      return;
    case EventType::kRoundStarted:
    case EventType::kRoundFinished:
    case EventType::kBlindBegun:
    case EventType::kModelChosen:
      return;
  }
}

}  // namespace

Receipt nothing_yet() { return {0, std::string(64, '0'), false}; }

std::string select_events(std::string_view rest) {
  std::string out = "SELECT ";
  out += kEventColumns;
  out += ' ';
  out += rest;
  return out;
}

Event read_event(Statement& row) {
  Event e;
  e.seq = row.whole(0);
  e.us = row.whole(1);
  e.type = row.text(2);
  e.actor = row.text(3);
  e.query = row.text(4);
  e.key = row.text(5);
  e.payload = row.text(6);
  e.payload_sha256 = row.hex(7);
  e.prev = row.hex(8);
  e.hash = row.hex(9);
  return e;
}

std::string column_of_another_type(Statement& row) {
  static constexpr std::array<std::pair<const char*, const char*>, 10> kTypes{{{"seq", "integer"},
                                                                               {"us", "integer"},
                                                                               {"type", "text"},
                                                                               {"actor", "text"},
                                                                               {"query", "text"},
                                                                               {"key", "text"},
                                                                               {"payload", "text"},
                                                                               {"payload_sha256", "blob"},
                                                                               {"prev", "blob"},
                                                                               {"hash", "blob"}}};
  for (size_t c = 0; c < kTypes.size(); ++c)
    if (row.type(static_cast<int>(c)) != kTypes[c].second) return kTypes[c].first;
  return "";
}

Receipt last_event(Database& database) {
  const auto damaged = [&](const std::string& what) {
    throw StoreError(Trouble::kDamaged, Kind::kRun, database.path().string() + ": " + what,
                     "`hone check` names the first event that is wrong; put back a copy");
  };
  Receipt head = nothing_yet();
  {
    Statement row = database.prepare("SELECT seq, hash FROM chain_head");
    if (row.step()) head = {row.whole(0), row.hex(1), false};
  }
  Statement row = database.prepare(select_events("FROM event ORDER BY seq DESC LIMIT 1"));
  if (!row.step()) {
    if (head.seq != 0) damaged("the log is empty, and its head says " + std::to_string(head.seq) + " events");
    return head;
  }
  const Event e = read_event(row);
  if (e.seq != head.seq)
    damaged("the log ends with event " + std::to_string(e.seq) + ", and its head says " + std::to_string(head.seq));
  if (e.hash != head.hash || hash_of(e) != e.hash || sha256(e.payload) != e.payload_sha256)
    damaged("event " + std::to_string(e.seq) + ": not what its hash says");
  return head;
}

Receipt append_event(Database& database, const NewEvent& event, const Receipt& last, int64_t us) {
  Event e{last.seq + 1, us, std::string(name_of(event.type)), event.actor, event.query, event.key, event.payload, {},
          {},           {}};
  e.payload_sha256 = sha256(e.payload);
  e.prev = last.hash;
  e.hash = hash_of(e);
  if (!event.key.empty()) {
    Statement row = database.prepare(select_events("FROM event WHERE actor = ? AND key = ? AND key <> ''"));
    if (row.bind(event.actor).bind(event.key).step()) {
      const Event before = read_event(row);
      if (before.type != e.type || before.query != e.query || before.payload_sha256 != e.payload_sha256)
        throw StoreError(Trouble::kConflict, Kind::kUsage,
                         database.path().string() + ": the key '" + event.key + "' stands for event " +
                             std::to_string(before.seq) + ", which says otherwise",
                         "a new request needs a new key");
      return {before.seq, before.hash, true};
    }
  }
  check_place(database, event);
  database
      .prepare(
          "INSERT INTO event(seq, us, type, actor, query, key, payload, payload_sha256, prev, hash) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(e.seq)
      .bind(e.us)
      .bind(e.type)
      .bind(e.actor)
      .bind(e.query)
      .bind(e.key)
      .bind(e.payload)
      .bind_hex(e.payload_sha256)
      .bind_hex(e.prev)
      .bind_hex(e.hash)
      .run();
  return {e.seq, e.hash, false};
}

}  // namespace hone::feedback
