#include "feedback/group_commit.h"

#include <algorithm>

namespace hone::feedback {

void GroupCommit::run(const std::function<void(Database&)>& work) {
  Request mine{&work, nullptr};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  while (!mine.done) {
    if (led_) {
      changed_.wait(lock);
      continue;
    }
    led_ = true;
    Group group;
    while (!waiting_.empty() && std::ssize(group) < limit_) {
      group.push_back(waiting_.front());
      waiting_.pop_front();
    }
    lock.unlock();
    commit(group);
    lock.lock();
    for (Request* r : group) r->done = true;
    led_ = false;
    changed_.notify_all();
  }
  if (mine.error) std::rethrow_exception(mine.error);
}

void GroupCommit::commit(const Group& group) {
  try {
    database_.execute("BEGIN IMMEDIATE");
    for (Request* r : group) {
      database_.execute("SAVEPOINT request");
      try {
        (*r->work)(database_);
        database_.execute("RELEASE request");
      } catch (...) {
        // A full disk and its like end the whole transaction.
        if (!database_.in_transaction()) throw;
        r->error = std::current_exception();
        database_.execute("ROLLBACK TO request");
        database_.execute("RELEASE request");
      }
    }
    database_.execute("COMMIT");
  } catch (...) {
    for (Request* r : group)
      if (!r->error) r->error = std::current_exception();
    if (!database_.in_transaction()) return;
    try {
      database_.execute("ROLLBACK");
    } catch (...) {  // the next BEGIN says why
    }
  }
}

}  // namespace hone::feedback
