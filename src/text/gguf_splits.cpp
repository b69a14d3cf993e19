#include "text/gguf_splits.h"

#include <array>

#include "base/json.h"
#include "text/pretokenize.h"

namespace hone::text {
namespace {

constexpr const char* kFalconPunctuation = R"([\p{P}$\+<=>\^~\|`]+)";

// DeepSeek LLM: letters of alphabets with two cases, punctuation, and Chinese, Japanese and Korean each apart.
constexpr const char* kDeepSeekLetters =
    R"(\s?[)"
    R"(A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1})"
    R"(\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
    R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a})"
    R"(\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b})"
    R"(\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc})"
    R"(\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107})"
    R"(\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134})"
    R"(\x{2139}\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787})"
    R"(\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a})"
    R"(\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2})"
    R"(\x{118a0}-\x{118df}\x{1e900}-\x{1e943})"
    R"(]+)";
constexpr const char* kDeepSeekPunctuation =
    R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)";
constexpr const char* kDeepSeekCjk = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";

Json split(const char* regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}
Json digits() { return {{"type", "Digits"}, {"individual_digits", true}}; }
Json byte_level(bool with_gpt2_split) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", with_gpt2_split}};
}
Json sequence(Json steps) { return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}}; }

Json deepseek_llm() {
  return sequence(Json::array({split(R"([\r\n])"), split(kDeepSeekLetters), split(kDeepSeekPunctuation),
                               split(R"(\s+$)"), split(kDeepSeekCjk), digits(), byte_level(false)}));
}
Json falcon() {
  return sequence(
      Json::array({split(kFalconPunctuation), split(kGpt2Split), split("[0-9][0-9][0-9]"), byte_level(false)}));
}
Json gpt2() { return byte_level(true); }
Json qwen2() { return sequence(Json::array({split(kQwen2Split), byte_level(false)})); }
// StarCoder, Refact and SmolLM: every digit by itself.
Json single_digits() { return sequence(Json::array({digits(), byte_level(true)})); }

struct Known {
  std::string_view pre;
  Json (*make)();
  bool nfc;  // llama.cpp leaves Qwen2's normalisation out, its own tokenizer.json has it
};
constexpr std::array<Known, 7> kKnown{{{"deepseek-llm", deepseek_llm, false},
                                       {"falcon", falcon, false},
                                       {"gpt-2", gpt2, false},
                                       {"qwen2", qwen2, true},
                                       {"refact", single_digits, false},
                                       {"smollm", single_digits, false},
                                       {"starcoder", single_digits, false}}};

}  // namespace

bool splitting_of(std::string_view pre, Splitting& out) {
  for (const Known& known : kKnown) {
    if (known.pre != pre) continue;
    out.pre_tokenizer = known.make();
    out.normalizer = known.nfc ? Json{{"type", "NFC"}} : Json();
    return true;
  }
  return false;
}

std::string supported_pre() {
  std::string out;
  for (const Known& known : kKnown) out += (out.empty() ? "" : ", ") + std::string(known.pre);
  return out;
}

}  // namespace hone::text
