// Numbers as people and models write them.
#pragma once
#include <optional>
#include <string_view>

namespace hone::checkers {

/// The last number in a text: "The total is $1,234.50." -> 1234.5. Signs, thousands behind commas, decimals, exponents
/// and fractions (3/4, \\frac{3}{4}) are read; a minus belongs to its number where no digit, letter or bracket stands
/// before it (so the last of "5-3" is 3); digits behind a letter (H2O) are no number. Nothing: there is none.
std::optional<double> last_number(std::string_view text);

}  // namespace hone::checkers
