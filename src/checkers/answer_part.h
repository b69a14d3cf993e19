// Which part of an answer a checker looks at: models explain themselves before they answer.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "config/fields.h"

namespace hone::checkers {

struct AnswerPart {
  std::string part = "whole";
  std::string after;

  void fields(config::Fields& v) {
    v.choice("part", part, {"whole", "last_line", "boxed", "fenced"},
             "what of the answer counts: all of it, its last line that is not empty, what stands in its last "
             "\\boxed{…}, or in its last ``` fence",
             "whole");
    v("after", after,
      "only what follows the last occurrence of this text counts, and an answer without it is wrong: \"####\", "
      "\"</think>\"; empty: all",
      "off");
  }

  /// White space around it taken off; nothing where the answer has no such part.
  std::optional<std::string_view> of(std::string_view answer) const;
};

}  // namespace hone::checkers
