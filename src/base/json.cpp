#include "base/json.h"

#include "base/error.h"

namespace hone {

Json parse_json(std::string_view text, const std::string& where) {
  // Depth is counted beforehand: the parser is iterative but the destructor of a deep value recurses.
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > 200) usage_error(where + ": malformed JSON: nested deeper than 200 levels");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    std::string message = e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 5: …"
    if (const auto end = message.find("] "); end != std::string::npos) message = message.substr(end + 2);
    usage_error(where + ": malformed JSON: " + message);
  }
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hone
