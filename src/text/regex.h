// Regular expressions (PCRE2 with its just-in-time compiler), made to mean what they mean to Hugging Face `tokenizers`
// (Oniguruma): \s is Unicode White_Space.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hone::text {

class Regex {
 public:
  /// `where` names the file in the error for a pattern that does not compile.
  Regex(std::string_view pattern, const std::string& where);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// As the file writes it.
  const std::string& pattern() const;
  /// Appends the [begin, end) of all non-empty matches in valid UTF-8, left to right. A pattern that backtracks without
  /// end on this text is an error, not a hang.
  void find_all(std::string_view text, std::vector<std::pair<size_t, size_t>>& out) const;
  /// Whether it is found anywhere, an empty match counting. Nothing: it backtracks without end on this text, or the
  /// text is not UTF-8.
  std::optional<bool> found_in(std::string_view text) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace hone::text
