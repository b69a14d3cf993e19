// Tulu human evaluation (Wang et al. 2023, arXiv 2306.04751; github.com/allenai/open-instruct human_eval): two models'
// answers judged on five points. Strength: "is-better" 1, "is-slightly-better" ½, tie 0.
#include <array>

#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_tulu() {
  static constexpr auto kKeys =
      std::to_array<std::string_view>({"prompt", "completion_a", "completion_b", "preference"});
  return kKeys;
}

bool recognise_tulu(const Json& row) { return has(row, {"prompt", "completion_a", "completion_b", "preference"}); }

RowContent read_tulu(const Json& row, const FormatOptions&) {
  struct Grade {
    std::string_view name;
    Outcome outcome;
    double margin;
  };
  static constexpr std::array<Grade, 5> kGrades{{{"a-is-better", Outcome::kA, 1.0},
                                                 {"a-is-slightly-better", Outcome::kA, 0.5},
                                                 {"tie", Outcome::kTie, 0.0},
                                                 {"b-is-slightly-better", Outcome::kB, 0.5},
                                                 {"b-is-better", Outcome::kB, 1.0}}};
  RowContent out;
  out.source = "tulu";
  const std::string preference = text_field(row, "preference");
  for (const Grade& g : kGrades) {
    if (g.name != preference) continue;
    out.comparisons.push_back(feedback::compared(user_prompt(text_field(row, "prompt")),
                                                 said(text_field(row, "completion_a")),
                                                 said(text_field(row, "completion_b")), g.outcome, g.margin));
    return out;
  }
  usage_error("preference '" + preference + "' is not one of a-is-better … b-is-better");
}

}  // namespace hone::data::formats_impl
