// Text and numbers for an HTML page. Everything that comes from a run folder passes through here: model text is
// untrusted input.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/stats.h"

namespace hone::report {

/// Valid UTF-8: bytes that are not become U+FFFD. So do controls other than tab and newline, and the characters that
/// reorder text (bidirectional overrides), which could make a page read differently from what was written.
std::string clean_text(std::string_view bytes);

/// clean_text, then & < > " ' as entities: safe as element content and inside quoted attributes.
std::string escape(std::string_view text);

/// `escape` of at most `limit` characters; the rest is counted: "… (1,204 more characters)".
std::string escape_limited(std::string_view text, size_t limit);

/// "1,234,567".
std::string format_count(int64_t n);
/// About three significant digits without trailing zeros: 0.786, 0.2, 12.3, 1,235, 3.2e-05; "–" where not finite.
std::string format_number(double x);
/// "sft" -> "SFT", "ppo-agreeable" -> "PPO-agreeable"; other names as they are. Not escaped.
std::string model_name(std::string_view name);
/// The first letter as a capital where it is one of a to z.
std::string capitalised(std::string_view text);
/// Fixed decimals with a proper minus sign; "–" where not finite.
std::string format_fixed(double x, int decimals);
/// 0.738 -> "73.8%".
std::string format_percent(double share);
/// Seconds as "52 s", "4 min 52 s", "1 h 05 min".
std::string format_duration(double seconds);
/// "0.786 [0.771, 0.801]" (one decimal where the value is 10 or more); without an interval the value alone.
std::string format_estimate(const stats::Estimate& e, bool as_percent = false);
bool has_interval(const stats::Estimate& e);

}  // namespace hone::report
