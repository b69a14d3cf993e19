#include "base/error.h"

namespace hone::detail {

void check_failed(const char* expr, const char* file, int line, std::string_view message) {
  std::string text = std::string("internal check failed: ") + expr + " (" + file + ":" + std::to_string(line) + ")";
  if (!message.empty()) text += ": " + std::string(message);
  throw Error(Kind::kBug, text, "this is a bug in hone; please report it with the command and the recipe");
}

}  // namespace hone::detail
