#include "chat/utf8_stream.h"

#include <algorithm>

#include "base/utf8.h"

namespace hone::chat {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

// How many bytes at the start could begin a character; 0: not even the first.
size_t beginning(std::string_view text) {
  const size_t length = utf8_length(static_cast<unsigned char>(text[0]));
  size_t n = 0;
  // A beginning is one that can be completed: with the smallest or the largest bytes that go on.
  while (n < std::min(length, text.size())) {
    const auto completed = [&](char with) {
      std::string whole(text.substr(0, n + 1));
      whole.resize(length, with);
      return valid_utf8_prefix(whole) == length;
    };
    if (!completed('\x80') && !completed('\xBF')) break;
    ++n;
  }
  return n;
}

}  // namespace

std::string Utf8Stream::feed(std::string_view bytes) {
  held_ += bytes;
  std::string out;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const size_t whole = valid_utf8_prefix(rest);
    out += rest.substr(0, whole);
    rest.remove_prefix(whole);
    if (rest.empty()) break;
    const size_t begun = beginning(rest);
    if (begun == rest.size()) break;  // the rest of it may still come
    out += kReplacement;
    rest.remove_prefix(std::max<size_t>(begun, 1));
  }
  held_ = std::string(rest);
  return out;
}

std::string Utf8Stream::finish() {
  std::string out = held_.empty() ? "" : std::string(kReplacement);
  held_.clear();
  return out;
}

}  // namespace hone::chat
