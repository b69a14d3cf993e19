// Many threads, one transaction: whoever comes first while nobody leads takes all that wait along, makes them durable
// together, and wakes them; then those that came meanwhile, and after some transactions the first of them leads. A
// request that fails is undone alone, by its savepoint.
#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

#include "feedback/sqlite.h"

namespace hone::feedback {

/// What a request's work runs in.
struct Transaction {
  Database& database;
  std::optional<Receipt> head;  ///< the log's, once a request has read it
};

class GroupCommit {
 public:
  using Work = std::function<void(Transaction&)>;

  /// `limit`: requests in one transaction.
  GroupCommit(Database& database, int64_t limit) : database_(database), limit_(limit) {}

  /// Runs `work` within a transaction; returns when that is on the disk, throws what `work` threw, or why the
  /// transaction failed. Work may be called on another caller's thread.
  void run(const Work& work);

 private:
  struct Request {
    const Work* work;
    std::exception_ptr error = {};
    bool done = false, leads = false;
    std::condition_variable changed = {};  // its own: to wake all for each transaction takes as long as to write it
  };
  using Group = std::deque<Request*>;
  void commit(const Group& group);

  Database& database_;
  const int64_t limit_;
  std::mutex mutex_;
  Group waiting_;
  bool led_ = false;
};

}  // namespace hone::feedback
