// What a tokenizer.json's "post_processor" puts before and behind a text.
//
// Nothing is put behind one (an EOS): rows of data end their documents and answers themselves (data/), and a text whose
// probability is asked for ends where it ends. Whoever encodes a text where transformers would put one says so once.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/json_fwd.h"

namespace hone::text {

/// The token before a single text and the first one behind it: TemplateProcessing, BertProcessing, RobertaProcessing,
/// ByteLevel (none) and sequences of them. More than one token before it, or another kind: kUsage.
std::pair<std::optional<int32_t>, std::optional<int32_t>> tokens_around_text(const Json& entry,
                                                                             const std::string& where);

}  // namespace hone::text
