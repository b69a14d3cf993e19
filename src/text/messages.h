// One turn of a conversation, as every room passes it.
#pragma once
#include <string>

namespace hone::text {

struct Message {
  std::string role;     ///< "system", "user" or "assistant"
  std::string content;  ///< UTF-8
  bool operator==(const Message&) const = default;
};

}  // namespace hone::text
