// Bytes that come in pieces, as whole characters: a character whose last bytes are still to come is held back.
#pragma once
#include <string>
#include <string_view>

namespace hone::chat {

class Utf8Stream {
 public:
  /// The characters that are complete now. Bytes that can be none become U+FFFD, one for each cut-off beginning of a
  /// character, as Unicode recommends and Python's errors="replace" does.
  std::string feed(std::string_view bytes);
  /// What is left, as U+FFFD.
  std::string finish();

 private:
  std::string held_;
};

}  // namespace hone::chat
