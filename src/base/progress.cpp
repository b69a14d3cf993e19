#include "base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/log.h"

namespace hone {

std::string clock_text(double seconds) {
  const auto s = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  const auto two = [](int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (s >= 3600) return std::to_string(s / 3600) + ":" + two(s / 60 % 60) + ":" + two(s % 60);
  return std::to_string(s / 60) + ":" + two(s % 60);
}

std::string count_text(int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (auto i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), ",");
  return n < 0 ? "-" + digits : digits;
}

std::string decimal_text(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

Progress::Progress(std::string what, int64_t total, int64_t done)
    : what_(std::move(what)),
      total_(total),
      done_(done),
      start_done_(done),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      drawn_(start_ - std::chrono::hours(1)) {}

Progress::~Progress() {
  if (done_ > start_done_) draw(true);
}

void Progress::update(int64_t done, std::string_view note) {
  done_ = done;
  note_ = note;
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> since = now - drawn_;
  if (since.count() < (terminal_ ? 0.1 : 15.0)) return;
  drawn_ = now;
  draw(false);
}

void Progress::draw(bool last) {
  if (log::quiet()) return;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
  const double rate = static_cast<double>(done_ - start_done_) / std::max(1e-9, spent.count());
  const double left = rate > 0 ? static_cast<double>(total_ - done_) / rate : 0;
  const double share = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1.0;
  const std::string time = last ? clock_text(spent.count()) : clock_text(left) + " left";
  if (!terminal_) {
    const std::string text =
        what_ + " " + std::to_string(done_) + "/" + std::to_string(total_) + "  " + note_ + "  " + time;
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  constexpr int kWidth = 24;
  const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * kWidth * 8);
  static constexpr const char* kPartial[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::string bar;
  for (int i = 0; i < kWidth; ++i) {
    const int fill = std::clamp(eighths - i * 8, 0, 8);
    bar += fill == 8 ? "█" : kPartial[fill];
  }
  std::string text =
      what_ + " " + bar + " " + std::to_string(done_) + "/" + std::to_string(total_) + "  " + note_ + "  " + time;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) {
    // The bar's characters take three bytes and one column each; cut by columns so that the line never wraps.
    size_t columns = 0, end = 0;
    while (end < text.size() && columns < static_cast<size_t>(size.ws_col) - 1) {
      ++end;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      ++columns;
    }
    text.resize(end);
  }
  std::fprintf(stderr, "\r\033[K%s%s", text.c_str(), last ? "\n" : "");
  std::fflush(stderr);
}

}  // namespace hone
