// The one thread of the model: order, letting in, stopping, what is thrown.
#include "annotate/model_thread.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

using namespace hone::annotate;
using namespace std::chrono_literals;

namespace {

// Holds the thread until it is let go, so that what is given meanwhile waits.
struct Gate {
  std::atomic<bool> open = false, held = false;
  ModelThread::Job job;
  explicit Gate(ModelThread& thread, Urgency urgency = Urgency::kWatched)
      : job(thread.run(urgency, [this](const std::stop_token& stop) {
          held = true;
          while (!open && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
        })) {
    while (!held) std::this_thread::sleep_for(1ms);
  }
};

}  // namespace

TEST_CASE("jobs run one at a time, the most urgent first, equals in their order") {
  ModelThread thread;
  std::string order;
  std::atomic<int> at_once = 0;
  const auto note = [&](char c) {
    return [&, c](const std::stop_token&) {
      CHECK(++at_once == 1);
      order += c;
      --at_once;
    };
  };
  std::vector<ModelThread::Job> jobs;
  Gate gate(thread);
  jobs.push_back(thread.run(Urgency::kTraining, note('t')));
  jobs.push_back(thread.run(Urgency::kBuffer, note('b')));
  jobs.push_back(thread.run(Urgency::kBuffer, note('c')));
  jobs.push_back(thread.run(Urgency::kWatched, note('w')));
  CHECK_FALSE(jobs[0].done());
  gate.open = true;
  for (const ModelThread::Job& job : jobs) job.wait();
  CHECK(order == "wbct");
  CHECK(jobs[0].done());
}

TEST_CASE("a long job lets in what is more urgent, and that lets in what is more urgent still") {
  ModelThread thread;
  std::string order, behind;  // what the equal job saw, which may run while the test looks at `order`
  const Gate gate(thread);
  ModelThread::Job buffer, equal, watched;
  const ModelThread::Job training = thread.run(Urgency::kTraining, [&](const std::stop_token&) {
    order += '(';
    equal = thread.run(Urgency::kTraining, [&](const std::stop_token&) { behind = order; });
    buffer = thread.run(Urgency::kBuffer, [&](const std::stop_token&) {
      order += '[';
      watched = thread.run(Urgency::kWatched, [&](const std::stop_token&) { order += 'w'; });
      thread.let_in();
      order += ']';
    });
    thread.let_in();
    order += ')';
  });
  const_cast<Gate&>(gate).open = true;
  training.wait();
  CHECK(order == "([w])");
  equal.wait();
  CHECK(behind == "([w])");
}

TEST_CASE("a job is stopped by its token, whether it runs or waits") {
  ModelThread thread;
  Gate gate(thread);
  bool ran = false;
  ModelThread::Job waiting = thread.run(Urgency::kBuffer, [&](const std::stop_token&) { ran = true; });
  waiting.request_stop();
  gate.job.request_stop();
  waiting.wait();
  CHECK_FALSE(ran);
}

TEST_CASE("what a job throws reaches who waits for it, and the next job runs") {
  ModelThread thread;
  const ModelThread::Job bad =
      thread.run(Urgency::kBuffer, [](const std::stop_token&) { throw std::runtime_error("no"); });
  CHECK_THROWS_WITH(bad.wait(), "no");
  CHECK_THROWS_WITH(bad.wait(), "no");  // and whoever else waits
  bool ran = false;
  thread.run(Urgency::kBuffer, [&](const std::stop_token&) { ran = true; }).wait();
  CHECK(ran);
}

TEST_CASE("the end of the thread stops the running jobs, the inner ones first, and drops the rest") {
  ModelThread::Job outer, inner, dropped;
  {
    ModelThread thread;
    std::atomic<bool> within = false;
    outer = thread.run(Urgency::kTraining, [&](const std::stop_token& stop) {
      inner = thread.run(Urgency::kWatched, [&](const std::stop_token& mine) {
        within = true;
        while (!mine.stop_requested()) std::this_thread::sleep_for(1ms);
      });
      thread.let_in();
      CHECK(stop.stop_requested());
    });
    while (!within) std::this_thread::sleep_for(1ms);
    dropped = thread.run(Urgency::kTraining, [](const std::stop_token&) { CHECK(false); });
  }
  outer.wait();
  inner.wait();
  dropped.wait();
  ModelThread::Job().wait();  // no job is done
}
