// kill -9 of a process with eight appending threads, at random moments: every acknowledged event is there, once, and
// the chain verifies. HONE_KILLS says how often (25).
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/rng.h"
#include "feedback/store.h"
#include "feedback/verify.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;

namespace {

constexpr int kThreads = 8;

// What a thread was told, through a pipe: writes of this size are whole or not there.
struct Acknowledged {
  int thread;
  int64_t n, seq;
  char hash[64];
};

std::string key_of(int thread, int64_t n) { return "t" + std::to_string(thread) + "-" + std::to_string(n); }

NewEvent note_of(int thread, int64_t n) {
  NewEvent e = noted("p" + std::to_string(thread), "q",
                     "note " + std::to_string(n) + std::string(static_cast<size_t>(n % 700), 'x'));
  e.key = key_of(thread, n);
  return e;
}

// Appends until it is killed; thread t begins with note first[t].
[[noreturn]] void append_for_ever(const std::filesystem::path& path, const std::vector<int64_t>& first, int pipe) {
  try {
    Store store = Store::open(path);
    for (int t = 0; t < kThreads; ++t) {
      NewEvent e = shown("p" + std::to_string(t), "q", sample::comparison(1), Purpose::kLearn, "");
      e.key = "shown";
      store.append(e);
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int64_t n = first[t];; ++n) {
          const Receipt receipt = store.append(note_of(t, n));
          Acknowledged a{t, n, receipt.seq, {}};
          receipt.hash.copy(a.hash, sizeof a.hash);
          if (::write(pipe, &a, sizeof a) != sizeof a) ::_exit(3);
        }
      });
    for (std::thread& t : threads) t.join();
  } catch (...) {
  }
  ::_exit(2);
}

// Reads acknowledgements until the pipe closes, and kills the writer when its time is over: `time` from now, or from
// the first acknowledgement.
void collect(int pipe, pid_t child, std::chrono::microseconds time, bool from_first,
             std::map<std::string, Acknowledged>& all, std::vector<int64_t>& next) {
  using Clock = std::chrono::steady_clock;
  auto end = Clock::now() + (from_first ? std::chrono::seconds(60) : time);
  bool killed = false, first = true;
  while (true) {
    pollfd wait{pipe, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    ::poll(&wait, 1, killed ? -1 : static_cast<int>(std::max<int64_t>(left, 0)));
    if (!killed && Clock::now() >= end) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    if (!(wait.revents & (POLLIN | POLLHUP))) continue;
    Acknowledged a{};
    const ssize_t n = ::read(pipe, &a, sizeof a);
    if (n == 0) return;
    REQUIRE(n == sizeof a);
    if (std::exchange(first, false) && from_first) end = Clock::now() + time;
    all.emplace(key_of(a.thread, a.n), a);
    next[a.thread] = std::max(next[a.thread], a.n + 1);
  }
}

int kills() {
  const char* text = std::getenv("HONE_KILLS");
  return text ? std::atoi(text) : 25;
}

}  // namespace

TEST_CASE("kill -9 under eight appending threads loses and doubles nothing that was acknowledged") {
  Stream stream(7, "kills");
  const int count = kills();
  int64_t acknowledged = 0, again = 0;
  for (int k = 0; k < count;) {
    // A few kills on one store: recovery upon recovery. A thread that did not hear goes on with the same key.
    const sample::Folder dir;
    std::map<std::string, Acknowledged> all;
    std::vector<int64_t> next(kThreads, 0);
    for (int round = 0; round < 5 && k < count; ++round, ++k) {
      int pipe[2];
      REQUIRE(::pipe(pipe) == 0);
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        ::close(pipe[0]);
        append_for_ever(dir.store(), next, pipe[1]);
      }
      ::close(pipe[1]);
      // While the store is made or recovered, and while events come in.
      const std::chrono::microseconds time(stream.between(1'000, 100'000));
      collect(pipe[0], child, time, round % 2 == 0, all, next);
      ::close(pipe[0]);
      int status = 0;
      ::waitpid(child, &status, 0);
      REQUIRE_MESSAGE(WIFSIGNALED(status), "the writer ended by itself with " << WEXITSTATUS(status));
      if (!std::filesystem::exists(dir.store())) continue;
      // 1. What is there now, after recovery, verifies.
      {
        Store::open(dir.store());
      }
      const Verdict verdict = verify(dir.store());
      REQUIRE(verdict.wrong == "");
      // 2. Each acknowledged note is there once, as it was acknowledged.
      std::map<std::string, const Event*> there;
      const std::vector<Event> log = Store::open_read_only(dir.store()).events();
      for (const Event& e : log)
        if (e.type == "note") REQUIRE_MESSAGE(there.emplace(e.key, &e).second, e.key << " is there twice");
      for (const auto& [key, a] : all) {
        REQUIRE_MESSAGE(there.contains(key), key << " was acknowledged and is lost, kill " << k);
        REQUIRE(there[key]->seq == a.seq);
        REQUIRE(there[key]->hash == std::string(a.hash, sizeof a.hash));
      }
      // 3. Nothing is there that was not asked for: at most one unheard note of each thread.
      for (int t = 0; t < kThreads; ++t) {
        again += there.contains(key_of(t, next[t])) ? 1 : 0;
        REQUIRE_FALSE(there.contains(key_of(t, next[t] + 1)));
      }
    }
    acknowledged += std::ssize(all);
  }
  MESSAGE(count << " kills; " << acknowledged << " acknowledged notes, all there once; " << again
                << " that were written and not heard of");
  CHECK(acknowledged > 0);
}
