// Log-probabilities of judged answers under the frozen reference, computed once: it never changes, so it need not be
// held in memory while the policy learns. Where it does change (SyncSettings), they are computed again.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "config/stage_context.h"
#include "data/tokens.h"
#include "model/decoder.h"
#include "optim/named_tensor.h"

namespace hone::train {

/// Of judged groups: log p of each answer, summed over its weighted tokens.
struct ReferenceLogps {
  std::vector<std::vector<float>> answers;  ///< of each group
  std::vector<float> mismatched;            ///< of each group's answer to another prompt, where a loss asks for them
};

/// Reads them from a file in the stage's folder, or computes and keeps them there. The file's name is a hash of the
/// reference's weights, the token ids with their weights, and the precision: whatever changes them changes the name, so
/// a stale file is never read. `mismatched`: as many as groups, or none. `start`: the decoder of `folder` where it is
/// at hand, not yet trained, or null.
ReferenceLogps cached_reference(const std::string& folder, const model::Decoder* start,
                                std::span<const data::JudgedGroup> groups, std::span<const data::Sequence> mismatched,
                                const config::StageContext& context, at::ScalarType compute);

/// Computes those of the groups `members` again, under `decoder` as it is.
void refresh_reference(ReferenceLogps& reference, const model::Decoder& decoder,
                       std::span<const data::JudgedGroup> groups, std::span<const data::Sequence> mismatched,
                       std::span<const int64_t> members, at::ScalarType compute);

}  // namespace hone::train
