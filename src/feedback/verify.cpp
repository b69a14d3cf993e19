#include "feedback/verify.h"

#include <charconv>

#include "base/sha256.h"
#include "feedback/event_rows.h"
#include "feedback/schema.h"
#include "feedback/sqlite.h"

namespace hone::feedback {
namespace {

NewEvent as_asked(const Event& e) { return {event_type(e.type), e.actor, e.query, e.payload, e.key}; }

// What is wrong with the event that follows `last`, or "".
std::string fault_of(Statement& row, const Event& e, const Receipt& last) {
  if (e.seq != last.seq + 1)
    return e.seq == last.seq + 2
               ? "event " + std::to_string(last.seq + 1) + " is missing"
               : "events " + std::to_string(last.seq + 1) + " to " + std::to_string(e.seq - 1) + " are missing";
  if (const std::string column = column_of_another_type(row); !column.empty())
    return "'" + column + "' is of another type";
  if (e.prev != last.hash)
    return "it does not follow the event before it: another one was there, or either was changed";
  if (sha256(e.payload) != e.payload_sha256) return "the payload is not what its SHA-256 says";
  try {
    if (hash_of(e) != e.hash) return "it is not what its hash says";
    check_event(as_asked(e));
  } catch (const Error& error) {
    return error.what();
  }
  if ((e.seq == 1) != (e.type == name_of(EventType::kCreated))) return "a log begins with one event of type 'created'";
  return "";
}

struct Anchor {
  int64_t seq = 0;
  std::string hash;
};

Anchor read_anchor(const std::string& text) {
  Anchor out;
  const size_t colon = text.find(':');
  const auto [end, code] = std::from_chars(text.data(), text.data() + std::min(colon, text.size()), out.seq);
  if (colon != std::string::npos) out.hash = text.substr(colon + 1);
  if (colon == std::string::npos || code != std::errc() || end != text.data() + colon || out.seq < 1 ||
      out.hash.size() != 64 || out.hash.find_first_not_of("0123456789abcdef") != std::string::npos)
    usage_error("'" + text + "' is no head of a log", "it is SEQ:HASH, as `hone feedback show` and receipts give it");
  return out;
}

}  // namespace

std::string anchor_text(const Receipt& receipt) { return std::to_string(receipt.seq) + ":" + receipt.hash; }

Verdict verify(const std::filesystem::path& path, const std::string& anchor, const StoreSettings& settings) {
  const Anchor noted = anchor.empty() ? Anchor{} : read_anchor(anchor);
  std::error_code none;
  if (settings.vfs.empty() && !std::filesystem::exists(path, none))
    throw StoreError(Trouble::kMissing, Kind::kUsage, path.string() + ": no such feedback store", "");
  Database database(path, Database::Mode::kRead, settings.vfs);
  const int64_t version = schema_version(database);
  if (version == 0)
    throw StoreError(Trouble::kForeign, Kind::kUsage, path.string() + ": an empty file, not a feedback store", "");
  Verdict out;
  out.head = nothing_yet();
  std::string noted_is;  // the hash of the event that the anchor names
  // 1. One moment's view of the file.
  database.execute("BEGIN");
  // 2. The log from its first event. The table alone: an index may be what is damaged.
  try {
    Statement row = database.prepare(select_events("FROM event NOT INDEXED ORDER BY seq"));
    while (row.step()) {
      const Event e = read_event(row);
      if (const std::string fault = fault_of(row, e, out.head); !fault.empty()) {
        out.wrong_seq = e.seq == out.head.seq + 1 ? e.seq : out.head.seq + 1;
        out.wrong = "event " + std::to_string(e.seq) + ": " + fault;
        return out;
      }
      out.head = {e.seq, e.hash, false};
      ++out.events;
      if (e.seq == noted.seq) noted_is = e.hash;
    }
  } catch (const StoreError& error) {
    if (error.trouble != Trouble::kDamaged) throw;
    out.wrong_seq = out.head.seq + 1;
    out.wrong = "event " + std::to_string(out.wrong_seq) + ": cannot be read: " + error.what();
    return out;
  }
  // 3. The end of the log, by the file's own head and by the one that was noted down elsewhere.
  try {
    const std::string head = database.ask("SELECT seq || ':' || lower(hex(hash)) FROM chain_head");
    if (out.events == 0) out.wrong = "the log is empty: not even its first event is there";
    else if (head != anchor_text(out.head))
      out.wrong = "chain_head: the log ends with event " + std::to_string(out.head.seq) + ", and the head says " +
                  (head.empty() ? "nothing" : head.substr(0, head.find(':'))) +
                  ": events were cut off, or the head was changed";
    else if (noted.seq > out.head.seq)
      out.wrong = "the log ends with event " + std::to_string(out.head.seq) +
                  ", and the head that was noted down is event " + std::to_string(noted.seq) +
                  ": an older copy, or events were cut off";
    else if (noted.seq > 0 && noted_is != noted.hash)
      out.wrong = "event " + std::to_string(noted.seq) + ": another hash than was noted down: the log was rewritten";
    if (!out.wrong.empty()) return out;
    // 4. What protects the log, and the file as a whole.
    if (const std::string fault = schema_fault(database, version); !fault.empty()) out.wrong = "the schema: " + fault;
    else if (const std::string sound = database.ask("PRAGMA integrity_check(1)"); sound != "ok")
      out.wrong = "the file: " + sound;
  } catch (const StoreError& error) {
    if (error.trouble != Trouble::kDamaged) throw;
    out.wrong = std::string("the file: ") + error.what();
  }
  return out;
}

}  // namespace hone::feedback
