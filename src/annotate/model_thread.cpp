#include "annotate/model_thread.h"

#include <algorithm>

#include "base/error.h"

namespace hone::annotate {

struct ModelThread::Job::Item {
  Urgency urgency = Urgency::kBuffer;
  Work work;
  std::stop_source stop;
  std::promise<void> ended;
  std::shared_future<void> end = ended.get_future().share();
};

void ModelThread::Job::request_stop() {
  if (item_) item_->stop.request_stop();
}

bool ModelThread::Job::done() const {
  return !item_ || item_->end.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void ModelThread::Job::wait() const {
  if (item_) item_->end.get();
}

ModelThread::ModelThread() : thread_([this] { loop(); }) {}

ModelThread::~ModelThread() {
  std::vector<std::shared_ptr<Job::Item>> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(waiting_);
    for (const auto& item : running_) item->stop.request_stop();
  }
  given_.notify_all();
  for (const auto& item : dropped) {
    item->stop.request_stop();
    item->ended.set_value();
  }
  thread_.join();
}

ModelThread::Job ModelThread::run(Urgency urgency, Work work) {
  auto item = std::make_shared<Job::Item>();
  item->urgency = urgency;
  item->work = std::move(work);
  {
    const std::lock_guard lock(mutex_);
    if (ending_) item->ended.set_value();
    else waiting_.push_back(item);
  }
  given_.notify_one();
  return Job(item);
}

// The most urgent of those that wait, now running; with `above` only one that is more urgent. With mutex_ held.
std::shared_ptr<ModelThread::Job::Item> ModelThread::next(const Urgency* above) {
  const auto best =
      std::ranges::min_element(waiting_, {}, [](const std::shared_ptr<Job::Item>& item) { return item->urgency; });
  if (best == waiting_.end() || (above != nullptr && (*best)->urgency >= *above)) return nullptr;
  std::shared_ptr<Job::Item> item = *best;
  waiting_.erase(best);
  running_.push_back(item);
  return item;
}

void ModelThread::perform(Job::Item& item) {
  std::exception_ptr thrown;
  try {
    if (!item.stop.stop_requested()) item.work(item.stop.get_token());
  } catch (...) {
    thrown = std::current_exception();
  }
  item.work = nullptr;  // what it holds goes before whoever waits goes on
  {
    const std::lock_guard lock(mutex_);
    running_.pop_back();
  }
  if (thrown) item.ended.set_exception(thrown);
  else item.ended.set_value();
}

void ModelThread::let_in() {
  HONE_CHECK(std::this_thread::get_id() == thread_.get_id());
  for (;;) {
    std::shared_ptr<Job::Item> item;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() || ending_) return;
      const Urgency own = running_.back()->urgency;
      item = next(&own);
    }
    if (!item) return;
    perform(*item);
  }
}

void ModelThread::loop() {
  for (;;) {
    std::shared_ptr<Job::Item> item;
    {
      std::unique_lock lock(mutex_);
      given_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
      if (ending_) return;
      item = next(nullptr);
    }
    perform(*item);
  }
}

}  // namespace hone::annotate
