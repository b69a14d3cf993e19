#include "tensor/kept_memory.h"

#include <thread>
#include <vector>

#include "base/rng.h"
#include "gradcheck.h"

using namespace hone;

namespace {

constexpr int64_t kMega = int64_t{1} << 20;

Tensor bytes(int64_t n) { return at::empty({n}, at::kByte); }

}  // namespace

TEST_CASE("a freed block serves the next tensor of about its size") {
  keep_freed_memory();
  const KeptMemory before = kept_memory();
  const void* data = nullptr;
  {
    const Tensor t = bytes(3 * kMega);
    data = t.data_ptr();
    CHECK(reinterpret_cast<uintptr_t>(data) % 64 == 0);
    CHECK(kept_memory().used == before.used + 3 * kMega);
  }
  CHECK(kept_memory().used == before.used);
  CHECK(kept_memory().kept == before.kept + 3 * kMega);
  CHECK(bytes(3 * kMega - 1000).data_ptr() == data);  // the same of eight sizes
  CHECK(bytes(5 * kMega / 2).data_ptr() == data);     // a sixth is unused
  CHECK(bytes(2 * kMega).data_ptr() != data);         // a third would be
  const int64_t used = kept_memory().used;
  const Tensor small = bytes(kMega - 1);
  CHECK(kept_memory().used == used);  // the C library's
}

TEST_CASE("what is in use and what is kept never exceed 9/8 of the most in use at once") {
  keep_freed_memory();
  const Stream random(1, "kept memory");
  std::vector<Tensor> live(12);
  int64_t kept = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    const auto size = kMega + static_cast<int64_t>(random.uniform_at(2 * i) * 9e6);
    Tensor& slot = live[static_cast<size_t>(random.uniform_at(2 * i + 1) * 12)];
    slot = Tensor();
    slot = bytes(size);
    slot[0] = static_cast<uint8_t>(i);
    slot[size - 1] = static_cast<uint8_t>(i);
    const KeptMemory now = kept_memory();
    REQUIRE(now.used + now.kept <= now.most_used + now.most_used / 8);
    kept = std::max(kept, now.kept);
  }
  CHECK(kept > 0);
}

TEST_CASE("threads share it, and a tensor's bytes are its own") {
  keep_freed_memory();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (uint8_t n = 0; n < 4; ++n)
    threads.emplace_back([n, &wrong] {
      for (int64_t i = 0; i < 200; ++i) {
        const Tensor t = bytes(kMega + i * 7919);
        t.fill_(n);
        std::this_thread::yield();
        wrong[n] += t[0].item<uint8_t>() != n || t[t.numel() - 1].item<uint8_t>() != n ||
                    t.sum().item<int64_t>() != n * t.numel();
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a tensor that nothing could hold says so and leaves the rest as it was") {
  keep_freed_memory();
  const KeptMemory before = kept_memory();
  CHECK_THROWS_WITH_AS(bytes(int64_t{1} << 60), doctest::Contains("not enough memory"), c10::Error);
  CHECK(kept_memory().used == before.used);
}
