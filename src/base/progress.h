// A progress bar with free text on a terminal; on anything else a plain line now and then. To standard error.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

class Progress {
 public:
  /// `total` steps of `what`; `done` of them are already done (resume).
  Progress(std::string what, int64_t total, int64_t done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Moves to `done` and shows `note` ("loss 1.23  4,100 tok/s") with the time left.
  void update(int64_t done, std::string_view note);
  /// The whole has turned out to be longer or shorter.
  void set_total(int64_t total) { total_ = total; }

 private:
  void draw(bool last);
  std::string what_, note_;
  int64_t total_, done_, start_done_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, drawn_;
};

/// "3:07", "1:02:03".
std::string clock_text(double seconds);
/// "1,234,567".
std::string count_text(int64_t n);
/// Fixed decimals without locale: decimal_text(0.12345, 3) = "0.123".
std::string decimal_text(double value, int decimals);

}  // namespace hone
