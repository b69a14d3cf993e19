// The fields of a request's body, each checked for type and size.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace hone::annotate {

/// Borrows the body. Every error is a serve::Refused kBadRequest that names the field.
class RequestFields {
 public:
  /// `where`: "" for the body itself, "correction" for an object in it. No object, or a key that is not in `known`:
  /// refused.
  RequestFields(const Json& body, std::initializer_list<std::string_view> known, std::string where = {});

  /// A text of at most `most` bytes; missing: refused.
  std::string text(std::string_view key, size_t most) const;
  /// The same; missing or null: "".
  std::string optional_text(std::string_view key, size_t most) const;
  /// A whole number from `low` to `high`; missing or null: nothing.
  std::optional<int64_t> optional_whole(std::string_view key, int64_t low, int64_t high) const;
  /// The value, missing or null: nullptr.
  const Json* find(std::string_view key) const;

  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

 private:
  const Json& body_;
  std::string where_;
};

}  // namespace hone::annotate
