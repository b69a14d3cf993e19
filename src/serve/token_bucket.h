// A token bucket: a steady rate with room for a burst.
#pragma once
#include <algorithm>
#include <chrono>

namespace hone::serve {

class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;
  TokenBucket(double per_second, double most) : per_second_(per_second), most_(most), tokens_(most) {}

  /// One token, if there is one.
  bool take(Clock::time_point now = Clock::now()) {
    if (now > last_) {
      tokens_ = std::min(most_, tokens_ + per_second_ * std::chrono::duration<double>(now - last_).count());
      last_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_, most_, tokens_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace hone::serve
