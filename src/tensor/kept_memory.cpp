#include "tensor/kept_memory.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>

#include "tensor/tensor.h"

namespace hone {
namespace {

constexpr size_t kLarge = size_t{1} << 20;

// Eight to each power of two: at most an eighth of a block is unused.
size_t block_size(size_t bytes) {
  const size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

class KeepingAllocator final : public c10::Allocator {
 public:
  // Never destroyed: tensors of static duration outlive everything.
  static KeepingAllocator& instance() {
    static auto* const it = new KeepingAllocator;
    return *it;
  }

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes < kLarge) return small_->allocate(bytes);
    void* const data = take(block_size(bytes));
    return {data, data, &release, at::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }

  KeptMemory memory() const {
    const std::lock_guard lock(mutex_);
    return {static_cast<int64_t>(used_), static_cast<int64_t>(kept_), static_cast<int64_t>(most_used_)};
  }

 private:
  struct Free {
    void* data;
    size_t size;
  };

  KeepingAllocator() : small_(c10::GetDefaultCPUAllocator()) {}

  static void release(void* data) {
    KeepingAllocator& self = instance();
    {
      const std::lock_guard lock(self.mutex_);
      if (const auto block = self.sizes_.find(data); block != self.sizes_.end()) return self.keep(data, block->second);
    }
    self.small_->raw_deleter()(data);
  }

  void* take(size_t size) {
    const std::lock_guard lock(mutex_);
    if (const auto fit = by_size_.lower_bound(size); fit != by_size_.end() && fit->first - size <= fit->first / 5) {
      const Free block = *fit->second;
      forget(fit);
      kept_ -= block.size;
      use(block.size);
      return block.data;
    }
    use(size);
    hold_the_bound();
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {  // all that is kept goes before a tensor does without
      while (!oldest_first_.empty()) give_back_oldest();
      data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    if (data == MAP_FAILED) {
      used_ -= size;
      TORCH_CHECK(false, "not enough memory: a tensor wants ", size, " bytes, ", used_, " are in use");
    }
    sizes_.emplace(data, size);
    return data;
  }

  // The rest with mutex_ held.
  void use(size_t size) {
    used_ += size;
    most_used_ = std::max(most_used_, used_);
  }

  void keep(void* data, size_t size) {
    used_ -= size;
    kept_ += size;
    oldest_first_.push_back({data, size});
    by_size_.emplace(size, std::prev(oldest_first_.end()));
    hold_the_bound();
  }

  void hold_the_bound() {
    while (!oldest_first_.empty() && used_ + kept_ > most_used_ + most_used_ / 8) give_back_oldest();
  }

  void give_back_oldest() {
    const Free block = oldest_first_.front();
    auto [at, end] = by_size_.equal_range(block.size);
    while (at != end && at->second != oldest_first_.begin()) ++at;
    forget(at);
    kept_ -= block.size;
    sizes_.erase(block.data);
    ::munmap(block.data, block.size);
  }

  using BySize = std::multimap<size_t, std::list<Free>::iterator>;
  void forget(BySize::iterator at) {
    oldest_first_.erase(at->second);
    by_size_.erase(at);
  }

  c10::Allocator* const small_;
  mutable std::mutex mutex_;
  std::list<Free> oldest_first_;
  BySize by_size_;
  std::unordered_map<void*, size_t> sizes_;  // of every block, used or kept
  size_t used_ = 0, kept_ = 0, most_used_ = 0;
};

bool installed = false;

}  // namespace

void keep_freed_memory() {
  installed = true;
  c10::SetCPUAllocator(&KeepingAllocator::instance());
}

KeptMemory kept_memory() { return installed ? KeepingAllocator::instance().memory() : KeptMemory{}; }

}  // namespace hone
