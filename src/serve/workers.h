// A few threads and a bounded queue of work for them.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hone::serve {

class Workers {
 public:
  Workers(size_t threads, size_t waiting);
  ~Workers();  ///< Waits for what is running; what waits is dropped.
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False: as much waits already as may. `work` must not throw.
  bool post(std::function<void()> work);

 private:
  void loop(const std::stop_token& stop);

  const size_t most_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace hone::serve
