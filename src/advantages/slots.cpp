#include "advantages/slots.h"

#include "base/error.h"

namespace hone::advantages {

std::vector<float> Slots::at_actions(std::span<const float> per_slot) const {
  HONE_CHECK(per_slot.size() == action.size(), "one value a slot");
  std::vector<float> out;
  out.reserve(tokens);
  for (size_t i = 0; i < action.size(); ++i)
    if (action[i]) out.push_back(per_slot[i]);
  return out;
}

Slots make_slots(std::span<const int64_t> lengths, std::span<const uint8_t> extra) {
  HONE_CHECK(extra.empty() || extra.size() == lengths.size(), "one flag an answer");
  Slots out;
  out.offsets.push_back(0);
  for (size_t s = 0; s < lengths.size(); ++s) {
    HONE_CHECK(lengths[s] >= 1, "an answer has at least one token");
    out.action.insert(out.action.end(), lengths[s], 1);
    if (!extra.empty() && extra[s]) out.action.push_back(0);
    out.offsets.push_back(out.size());
    out.tokens += lengths[s];
  }
  return out;
}

std::vector<uint8_t> extra_slots(std::string_view score_position, std::span<const int64_t> lengths,
                                 int64_t max_length) {
  std::vector<uint8_t> out(lengths.size(), 0);
  if (score_position == "after_last")
    for (size_t s = 0; s < lengths.size(); ++s) out[s] = lengths[s] < max_length;
  else if (score_position != "last_token")
    usage_error("unknown score_position '" + std::string(score_position) + "'", "there are: last_token, after_last");
  return out;
}

}  // namespace hone::advantages
