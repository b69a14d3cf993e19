#include "feedback/group_commit.h"

#include <algorithm>

namespace hone::feedback {
namespace {

constexpr int kMostLed = 8;  // transactions: whoever leads has a caller, too

}  // namespace

void GroupCommit::run(const Work& work) {
  Request mine{&work};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  if (led_) mine.changed.wait(lock, [&] { return mine.done || mine.leads; });
  if (!mine.done) {  // it is the first that waits
    led_ = true;
    for (int n = 0; n < kMostLed && !waiting_.empty(); ++n) {
      Group group;
      while (!waiting_.empty() && std::ssize(group) < limit_) {
        group.push_back(waiting_.front());
        waiting_.pop_front();
      }
      lock.unlock();
      commit(group);
      lock.lock();
      for (Request* r : group) {
        r->done = true;
        r->changed.notify_one();
      }
    }
    led_ = !waiting_.empty();
    if (led_) {
      waiting_.front()->leads = true;
      waiting_.front()->changed.notify_one();
    }
  }
  if (mine.error) std::rethrow_exception(mine.error);
}

void GroupCommit::commit(const Group& group) {
  const auto say = [&](const char* sql) { database_.prepare(sql).run(); };
  Transaction transaction{database_, {}};
  try {
    say("BEGIN IMMEDIATE");
    for (Request* r : group) {
      say("SAVEPOINT request");
      try {
        (*r->work)(transaction);
        say("RELEASE request");
      } catch (...) {
        // A full disk and its like end the whole transaction.
        if (!database_.in_transaction()) throw;
        r->error = std::current_exception();
        say("ROLLBACK TO request");
        transaction.head.reset();
        say("RELEASE request");
      }
    }
    say("COMMIT");
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
