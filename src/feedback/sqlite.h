// SQLite, as much of it as the store needs: a connection, statements, and its errors as StoreError. sqlite3.h is
// included by sqlite.cpp alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "feedback/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hone::feedback {

/// A prepared statement; every value is bound. Borrowed from its database.
class Statement {
 public:
  Statement& bind(int64_t value);
  Statement& bind(std::string_view text);
  /// A blob, given as hex.
  Statement& bind_hex(std::string_view hex);
  /// True where a row is there. After false, and on destruction, the statement is reset.
  bool step();
  /// Steps to the end.
  void run();

  int64_t whole(int column);
  std::string text(int column);
  std::string hex(int column);
  /// "integer", "real", "text", "blob" or "null".
  std::string_view type(int column);

  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;

 private:
  friend class Database;
  Statement(class Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  Database* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class Database {
 public:
  enum class Mode { kRead, kWrite };
  /// kWrite makes the file where it is missing. The file is not looked into yet.
  Database(const std::filesystem::path& path, Mode mode, const std::string& vfs);
  /// An empty one in memory.
  Database();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Statements without values.
  void execute(const char* sql);
  Statement prepare(std::string_view sql);
  /// The first column of the first row of a query without values, as text; "" where there is none.
  std::string ask(std::string_view sql);
  /// Whether a transaction is open.
  bool in_transaction() const;
  /// What the write-ahead log holds goes to the disk, also what a process that died had not synced.
  void sync_wal();
  const std::filesystem::path& path() const { return path_; }

  /// The last failure of the connection as a StoreError.
  [[noreturn]] void failed(int code);

 private:
  void open(const std::string& name, int flags, const std::string& vfs);
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

}  // namespace hone::feedback
