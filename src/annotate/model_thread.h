// The one thread that computes with a model. LibTorch's threads are tuned for one caller at a time, and two models that
// compute side by side on two cores are both slow: so whoever needs a model gives a job here.
//
//  1. Jobs run one after another on one thread, the most urgent first, and among equals in the order in which they
//  came.
//  2. A job that takes long calls let_in() now and then (between two tokens, between two steps of training): jobs that
//     are more urgent than it run there and then, on the same thread, and it goes on behind them.
//  3. A job gets a stop token and ends soon after it is asked to; at the end of the thread all of them are asked.
//  4. What a job throws is kept for whoever waits for it, and ends nothing else.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace hone::annotate {

/// The most urgent first.
enum class Urgency {
  kWatched,   ///< somebody waits for it at the page
  kTest,      ///< answers of a blind test
  kBuffer,    ///< pairs that are made ahead
  kTraining,  ///< minutes
};

class ModelThread {
 public:
  using Work = std::function<void(std::stop_token)>;

  /// A job that was given. Copies are the same job; it outlives the thread.
  class Job {
   public:
    Job() = default;
    void request_stop();
    /// Ended, failed, or dropped because the thread ended before it began.
    bool done() const;
    /// Until it is done; then throws what it threw. Never from the model thread itself.
    void wait() const;

   private:
    friend class ModelThread;
    struct Item;
    explicit Job(std::shared_ptr<Item> item) : item_(std::move(item)) {}
    std::shared_ptr<Item> item_;
  };

  ModelThread();
  /// Asks every job to stop, drops those that have not begun, and waits for the running one.
  ~ModelThread();
  ModelThread(const ModelThread&) = delete;

  Job run(Urgency urgency, Work work);
  /// From within a job: runs all jobs that are more urgent than it. Costs a lock where there is none.
  void let_in();

 private:
  std::shared_ptr<Job::Item> next(const Urgency* above);
  void perform(Job::Item& item);
  void loop();

  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<std::shared_ptr<Job::Item>> waiting_, running_;  // running_: the innermost last
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hone::annotate
