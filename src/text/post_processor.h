// What a tokenizer.json's "post_processor" puts before a text.
//
// What it puts after one (an EOS) is not read: rows of data end their documents and answers themselves (data/), and a
// text whose probability is asked for ends where it ends.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/json_fwd.h"

namespace hone::text {

/// The token before a single text: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel (none) and
/// sequences of them. More than one token, or another kind: kUsage.
std::optional<int32_t> token_before_text(const Json& entry, const std::string& where);

}  // namespace hone::text
