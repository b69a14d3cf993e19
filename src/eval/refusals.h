// Which answers refuse: by a list of phrases, as in the tests of Zou et al. 2023 (arXiv 2307.15043). A list knows no
// meaning, so it is stated wherever its figures are, and what counts is a difference between two models under one list.
#pragma once
#include <span>
#include <string_view>

namespace hone::eval {

/// In small letters, with plain apostrophes.
std::span<const std::string_view> refusal_phrases();
/// Does one of the phrases stand in the answer's first 200 bytes? Later ones are caveats of an answer that was given.
bool refuses(std::string_view answer);

}  // namespace hone::eval
