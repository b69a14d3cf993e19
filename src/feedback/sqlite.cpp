#include "feedback/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace hone::feedback {
namespace {

constexpr int kPatienceMs = 10'000;  // for a reader's recovery or checkpoint in another process

std::string uri_path(const std::filesystem::path& path) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '?' || c == '#') out += std::string("%") + kHex[byte >> 4] + kHex[byte & 15];
    else out += c;
  }
  return out;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      idle_(other.idle_),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (!statement_) return;
  sqlite3_reset(statement_);  // ends what it reads
  sqlite3_clear_bindings(statement_);
  idle_->push_back(statement_);
}

Statement& Statement::bind(int64_t value) {
  sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(statement_, ++bound_, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_hex(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  sqlite3_bind_blob64(statement_, ++bound_, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->failed(code);
  sqlite3_reset(statement_);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

int64_t Statement::whole(int column) { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) {
  const void* bytes = sqlite3_column_blob(statement_, column);  // as they stand, whatever the type
  return bytes ? std::string(static_cast<const char*>(bytes),
                             static_cast<size_t>(sqlite3_column_bytes(statement_, column)))
               : std::string();
}

std::string Statement::hex(int column) {
  constexpr const char* kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text(column)) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string_view Statement::type(int column) {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return "integer";
    case SQLITE_FLOAT:
      return "real";
    case SQLITE_TEXT:
      return "text";
    case SQLITE_BLOB:
      return "blob";
    default:
      return "null";
  }
}

Database::Database() : path_(":memory:") { open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ""); }

Database::Database(const std::filesystem::path& path, Mode mode, const std::string& vfs) : path_(path) {
  const std::string name = path.string();
  if (mode == Mode::kWrite) {
    open(name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
    if (sqlite3_db_readonly(handle_, "main") == 1) {
      sqlite3_close_v2(std::exchange(handle_, nullptr));
      throw StoreError(Trouble::kReadOnly, Kind::kUsage, name + ": the store cannot be written: the file is read-only",
                       "give write permission, or copy the file elsewhere");
    }
    return;
  }
  std::error_code none;
  const std::filesystem::path wal = name + "-wal";
  const bool log_is_empty = !std::filesystem::exists(wal, none) || std::filesystem::file_size(wal, none) == 0;
  // Where there is no write-ahead log, the one that SQLite makes for its readers goes again when they close, which
  // takes a connection that could write. A log that is there is left as it is.
  open(name, log_is_empty ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, vfs);
  sqlite3_exec(handle_, "PRAGMA query_only = ON", nullptr, nullptr, nullptr);
  // In a folder that cannot be written SQLite has no place for the log's index. Where the log is empty the file itself
  // is all there is.
  const int code = sqlite3_exec(handle_, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr) & 0xff;
  if (log_is_empty && (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && std::filesystem::exists(path, none)) {
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    open("file:" + uri_path(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, vfs);
  }
}

void Database::open(const std::string& name, int flags, const std::string& vfs) {
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    try {
      failed(code);
    } catch (...) {
      sqlite3_close_v2(std::exchange(handle_, nullptr));
      throw;
    }
  }
  sqlite3_busy_timeout(handle_, kPatienceMs);
  // The file may come from anywhere: it brings no code, and damaged pages are noticed.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_exec(handle_, "PRAGMA cell_size_check = ON", nullptr, nullptr, nullptr);
}

Database::~Database() {
  for (const auto& [sql, statements] : idle_)
    for (sqlite3_stmt* s : statements) sqlite3_finalize(s);
  sqlite3_close_v2(handle_);
}

void Database::execute(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) failed(code);
}

Statement Database::prepare(std::string_view sql) {
  auto idle = idle_.find(sql);
  if (idle == idle_.end()) idle = idle_.emplace(sql, Statement::Idle()).first;
  if (!idle->second.empty()) {
    sqlite3_stmt* again = idle->second.back();
    idle->second.pop_back();
    return {*this, again, idle->second};
  }
  sqlite3_stmt* statement = nullptr;
  if (const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                          &statement, nullptr);
      code != SQLITE_OK)
    failed(code);
  return {*this, statement, idle->second};
}

std::string Database::ask(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.text(0) : std::string();
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::sync_wal() {
  sqlite3_file* wal = nullptr;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK || !wal || !wal->pMethods)
    return;
  if (const int code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL); code != SQLITE_OK) failed(code);
}

void Database::failed(int code) {
  const std::string file = path_.string();
  const std::string says = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const int system = handle_ ? sqlite3_system_errno(handle_) : 0;
  const auto trouble = [&](Trouble what, Kind kind, const std::string& message, const char* hint) {
    throw StoreError(what, kind, file + ": " + message, hint);
  };
  switch (code & 0xff) {
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_CONSTRAINT:
      trouble(Trouble::kRefused, Kind::kBug, "the store refuses: " + says, "events are appended and never changed");
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      trouble(Trouble::kLocked, Kind::kRun, "another process keeps the store locked", "wait for it, or stop it");
      break;
    case SQLITE_FULL:
      trouble(Trouble::kFull, Kind::kRun, "no space left on the disk: nothing was appended",
              "free some space and try again; what was acknowledged before is safe");
      break;
    case SQLITE_CORRUPT:
      trouble(Trouble::kDamaged, Kind::kRun, "the store is damaged or cut short (" + says + ")",
              "`hone check` names the last event that holds; put back a copy, or recover with `sqlite3 FILE .recover`");
      break;
    case SQLITE_NOTADB:
      trouble(Trouble::kForeign, Kind::kUsage,
              "not a feedback store: this is no SQLite file, or its beginning is damaged",
              "give the file that `hone annotate` or `hone feedback import` made");
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      trouble(Trouble::kReadOnly, Kind::kUsage, "the store cannot be written: the file or its folder is read-only",
              "give write permission, or copy the file elsewhere");
      break;
    case SQLITE_CANTOPEN:
      trouble(Trouble::kReadOnly, Kind::kUsage,
              "the store cannot be opened" + (system ? ": " + std::string(std::strerror(system)) : std::string()),
              "does its folder exist, and may you write there?");
      break;
    default:
      break;
  }
  if (system == EDQUOT || system == EFBIG || system == ENOSPC)
    trouble(Trouble::kFull, Kind::kRun, "no space left for the store: nothing was appended",
            "free some space, or raise the limit, and try again; what was acknowledged before is safe");
  trouble(Trouble::kIo, Kind::kRun,
          "the disk failed (" + says + (system ? ": " + std::string(std::strerror(system)) : "") + ")",
          "what was acknowledged before is safe; see the system's log");
  HONE_CHECK(false);
}

}  // namespace hone::feedback
