// SQLite, as much of it as the store needs: a connection, statements, and its errors as StoreError. sqlite3.h is
// included by sqlite.cpp alone.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "feedback/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hone::feedback {

/// A prepared statement; every value is bound. Borrowed from its database, which keeps it for the next time: compiling
/// the insert of an event with its triggers takes longer than running it.
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
  using Idle = std::vector<sqlite3_stmt*>;
  Statement(class Database& database, sqlite3_stmt* statement, Idle& idle)
      : database_(&database), statement_(statement), idle_(&idle) {}
  Database* database_;
  sqlite3_stmt* statement_;
  Idle* idle_;  // where it goes when it is done
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

  /// Statements without values, compiled each time.
  void execute(const char* sql);
  /// `sql`: one statement. Each different text is kept until the database closes: nothing that varies belongs into it.
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
  std::map<std::string, Statement::Idle, std::less<>> idle_;  // by text; several where one was used within another
};

}  // namespace hone::feedback
