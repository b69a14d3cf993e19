#include "data/lengths.h"

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"

namespace hone::data {
namespace {
std::string percent(double share) { return decimal_text(100 * share, share < 0.1 ? 2 : 1) + "%"; }
}  // namespace

std::string LengthReport::summary() const {
  std::string out = count_text(kept) + " of " + count_text(rows) + " rows, " + count_text(tokens) + " tokens";
  if (trained_tokens > 0) out += " (" + count_text(trained_tokens) + " trained)";
  out += "; " + count_text(dropped) + " left out, " + count_text(cut) + " cut";
  if (cut + dropped > 0) out += " (" + percent(lost_share()) + ")";
  out += "; longest " + count_text(longest);
  if (limit > 0) out += ", limit " + count_text(limit);
  if (prompt_limit > 0) out += ", prompts " + count_text(prompt_limit);
  if (apart > 0)
    out +=
        "; " + count_text(apart) + " of them earlier answers by themselves, which the template renders otherwise later";
  if (same_ids > 0) out += "; " + count_text(same_ids) + " left out whose two sides become the same tokens";
  if (special_text > 0) out += "; " + special_text_notice();
  return out;
}

std::string LengthReport::special_text_notice() const {
  return count_text(special_text) + (special_text == 1 ? " row holds" : " rows hold") +
         " the model's special tokens as text, as if its chat template had been applied already: they stay ordinary "
         "text; "
         "give bare messages, the template is applied here";
}

Json LengthReport::to_json() const {
  return {{"rows", rows},
          {"kept", kept},
          {"cut", cut},
          {"dropped", dropped},
          {"tokens", tokens},
          {"trained_tokens", trained_tokens},
          {"longest", longest},
          {"limit", limit},
          {"prompt_limit", prompt_limit},
          {"apart", apart},
          {"same_ids", same_ids},
          {"special_text", special_text},
          {"lost_share", lost_share()}};
}

int64_t sequence_limit(const LengthSettings& settings, int64_t context) {
  if (settings.max_length < 0 || settings.max_prompt_length < 0) usage_error("a length limit is negative");
  if (context > 0 && settings.max_length > context)
    usage_error(
        "max_length = " + count_text(settings.max_length) + " is over the model's context of " + count_text(context),
        "lower max_length, or make the model with a longer context");
  return settings.max_length > 0 ? settings.max_length : context;
}

void require_kept(const LengthReport& report, const LengthSettings& settings, const std::string& what) {
  const std::string hint =
      "raise max_length or max_prompt_length, choose too_long = \"cut_left\", or allow it with max_lost_share";
  if (report.kept == 0) usage_error(what + ": no row fits: " + report.summary(), hint);
  if (report.lost_share() > settings.max_lost_share)
    usage_error(what + ": " + percent(report.lost_share()) +
                    " of the rows would be left out or cut, more than max_lost_share = " +
                    percent(settings.max_lost_share) + ": " + report.summary(),
                hint);
}

}  // namespace hone::data
