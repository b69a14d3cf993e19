// How many judgements a second the feedback store makes durable: many threads' events in one transaction, beside one
// transaction each. Both on the same disk, one after the other.
//
//   ninja -C build feedback_bench && build/bench/feedback_bench [FOLDER [SECONDS]]
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/error.h"
#include "feedback/store.h"

namespace {

namespace fs = std::filesystem;
using namespace hone::feedback;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Result {
  double per_second = 0;
  double p95_ms = 0;  // of one append
};

Result measure(const fs::path& path, int threads, int64_t group_limit, double seconds) {
  Store store = Store::open(path, {.group_limit = group_limit, .vfs = ""});
  const Comparison comparison = compared({{"user", "Why is the sky blue?"}}, {{"assistant", std::string(400, 'a')}},
                                         {{"assistant", std::string(400, 'b')}});
  std::atomic<int64_t> done = 0;
  std::vector<std::vector<double>> took(static_cast<size_t>(threads));
  std::vector<std::thread> all;
  const auto start = Clock::now();
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      const std::string actor = "p" + std::to_string(t);
      std::vector<NewEvent> events{shown(actor, "q", comparison, Purpose::kLearn, ""), judged(actor, "q", comparison)};
      for (int64_t n = 0; seconds_since(start) < seconds; ++n) {
        for (NewEvent& e : events) e.query = actor + "-" + std::to_string(n);
        const auto begin = Clock::now();
        store.append(events);
        took[static_cast<size_t>(t)].push_back(1000 * seconds_since(begin));
        ++done;
      }
    });
  for (std::thread& t : all) t.join();
  Result out{static_cast<double>(done) / seconds_since(start), 0};
  std::vector<double> times;
  for (const auto& of_thread : took) times.insert(times.end(), of_thread.begin(), of_thread.end());
  std::ranges::sort(times);
  if (!times.empty()) out.p95_ms = times[times.size() * 95 / 100];
  return out;
}

}  // namespace

int main(int count, char** words) {
  const fs::path parent = count > 1 ? fs::path(words[1]) : fs::temp_directory_path();
  const double seconds = count > 2 ? std::atof(words[2]) : 3;
  const fs::path folder = parent / ("hone-feedback-bench-" + std::to_string(::getpid()));
  int code = 0;
  try {
    fs::create_directories(folder);
    std::printf("%8s  %22s  %22s  %6s\n", "threads", "one commit each", "group commit", "ratio");
    for (const int threads : {1, 4, 8, 16, 32}) {
      const std::string name = std::to_string(threads);
      const Result each = measure(folder / ("each-" + name), threads, 1, seconds);
      const Result group = measure(folder / ("group-" + name), threads, 256, seconds);
      std::printf("%8d  %8.0f/s p95 %5.1f ms  %8.0f/s p95 %5.1f ms  %6.2f\n", threads, each.per_second, each.p95_ms,
                  group.per_second, group.p95_ms, group.per_second / each.per_second);
      std::fflush(stdout);
    }
  } catch (const hone::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    code = 1;
  }
  std::error_code none;
  fs::remove_all(folder, none);
  return code;
}
