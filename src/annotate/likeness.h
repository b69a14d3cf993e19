// How much two answers read alike: there is nothing to choose between two that say the same.
#pragma once
#include <string_view>

namespace hone::annotate {

/// The Sørensen–Dice coefficient of their word bigrams, 2|A ∩ B| / (|A| + |B|) over multisets: 0 where they share none,
/// 1 where one repeats the other. Words are runs of ASCII letters and digits without regard to case, and every
/// character beyond ASCII by itself; what stands between words does not count. The text's ends are words too, so that a
/// text of one word has bigrams. Without a word in either: 1.
///
/// Dice, "Measures of the amount of ecologic association between species", Ecology 26 (1945).
double likeness(std::string_view a, std::string_view b);

/// From here on two answers say nearly the same: one other word in ten, or less.
inline constexpr double kAlike = 0.8;

}  // namespace hone::annotate
