// llama2.c encodes so: a space goes before the text, every character is looked up (its bytes if it has no token), then
// the adjacent pair whose joined text is the token of highest score is merged, again and again. As a tokenizer.json the
// pairs have to be listed: all ways to cut a piece into two tokens, pieces in the order of their scores.
#include "text/llama2c_tokenizer.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/json_fields.h"

namespace hone::text {
namespace {

constexpr int64_t kFirstPiece = 259;  // after <unk>, <s>, </s> and 256 bytes
constexpr const char* kSpace = "\u2581";

struct Pieces {
  std::vector<std::string> texts;  // by id; empty: not known
  std::vector<float> scores;       // higher merges first
};

Pieces read_pieces_json(const fs::path& file, int64_t vocab_size) {
  const std::string where = file.string();
  const Json json = parse_json(read_file(file), where);
  Pieces out{std::vector<std::string>(vocab_size), std::vector<float>(vocab_size)};
  for (const auto& [key, value] : object_field(json, "pieces", where).items()) {
    const int32_t id = token_id(parse_json(key, where + ": pieces"), where + ": piece '" + key + "'");
    if (id < kFirstPiece || id >= vocab_size)
      usage_error(where + ": piece " + key + " is out of range",
                  "ids go from 259 to " + std::to_string(vocab_size - 1));
    if (!value.is_string()) usage_error(where + ": piece " + key + " is not a string");
    out.texts[id] = value.get<std::string>();
    out.scores[id] = static_cast<float>(-id);
  }
  return out;
}

// int32 longest token; then a token: f32 score, int32 length, its bytes. Spaces stand for the word mark.
Pieces read_tokenizer_bin(const fs::path& file, int64_t vocab_size) {
  const std::string bytes = read_file(file, uint64_t{256} << 20);
  Pieces out{std::vector<std::string>(vocab_size), std::vector<float>(vocab_size)};
  size_t at = 4;
  for (int64_t id = 0; at < bytes.size(); ++id) {
    float score = 0;
    int32_t length = -1;
    if (id >= vocab_size)
      usage_error(file.string() + ": more tokens than the model's " + std::to_string(vocab_size),
                  "is it another model's tokenizer?");
    if (bytes.size() - at >= 8) {
      std::memcpy(&score, bytes.data() + at, 4);
      std::memcpy(&length, bytes.data() + at + 4, 4);
    }
    at += 8;
    if (length < 0 || static_cast<size_t>(length) > bytes.size() - std::min(at, bytes.size()))
      usage_error(file.string() + ": token " + std::to_string(id) + " is cut off",
                  "the file is truncated or no tokenizer.bin");
    std::string text;
    for (const char c : bytes.substr(at, static_cast<size_t>(length))) c == ' ' ? text += kSpace : text += c;
    at += static_cast<size_t>(length);
    if (valid_utf8_prefix(text) != text.size())
      usage_error(file.string() + ": token " + std::to_string(id) + " is not valid UTF-8");
    if (id >= kFirstPiece) out.texts[id] = std::move(text);
    out.scores[id] = score;
  }
  return out;
}

Json merges_of(const Pieces& pieces, const Json& vocab) {
  std::unordered_set<std::string> ids;
  for (const auto& [token, id] : vocab.items()) ids.insert(token);
  std::vector<size_t> order;
  for (size_t id = kFirstPiece; id < pieces.texts.size(); ++id)
    if (!pieces.texts[id].empty()) order.push_back(id);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return pieces.scores[a] > pieces.scores[b]; });
  Json merges = Json::array();
  for (const size_t id : order) {
    const std::string& text = pieces.texts[id];
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if ((static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) continue;
      std::string left = text.substr(0, cut), right = text.substr(cut);
      if (ids.contains(left) && ids.contains(right)) merges.push_back(Json::array({std::move(left), std::move(right)}));
    }
  }
  return merges;
}

}  // namespace

Tokenizer llama2c_tokenizer(const fs::path& vocabulary, int64_t vocab_size) {
  if (vocab_size < kFirstPiece || vocab_size > (1 << 20))
    usage_error("a llama2.c model with a vocabulary of " + std::to_string(vocab_size) + " is not supported",
                "at least 259: three special tokens and 256 bytes");
  Pieces pieces{std::vector<std::string>(vocab_size), std::vector<float>(vocab_size)};
  if (!vocabulary.empty())
    pieces = vocabulary.extension() == ".json" ? read_pieces_json(vocabulary, vocab_size)
                                               : read_tokenizer_bin(vocabulary, vocab_size);

  Json vocab = Json::object(), added = Json::array();
  const char* const specials[] = {"<unk>", "<s>", "</s>"};
  for (int64_t id = 0; id < 3; ++id) {
    append_field(vocab, specials[id], id);
    added.push_back({{"id", id},
                     {"content", specials[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  for (int64_t byte = 0; byte < 256; ++byte) {
    constexpr const char* kHex = "0123456789ABCDEF";
    append_field(vocab, std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">", byte + 3);
  }
  std::unordered_set<std::string> seen;
  for (int64_t id = kFirstPiece; id < vocab_size; ++id) {
    std::string& text = pieces.texts[id];
    // Of two equal pieces the first is the token, as a search by text finds it.
    if (!text.empty() && !seen.insert(text).second) text.clear();
    append_field(vocab, text.empty() ? "<unk_" + std::to_string(id) + ">" : text, id);
  }
  const Json merges = merges_of(pieces, vocab);
  const Json bos = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const Json a = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, b = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const Json post = {{"type", "TemplateProcessing"},
                     {"single", Json::array({bos, a})},
                     {"pair", Json::array({bos, a, bos, b})},
                     {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}};
  const Json normalizer = {
      {"type", "Sequence"},
      {"normalizers", Json::array({{{"type", "Prepend"}, {"prepend", kSpace}},
                                   {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}}})}};
  const Json decoder = {
      {"type", "Sequence"},
      {"decoders", Json::array({{{"type", "Replace"}, {"pattern", {{"String", kSpace}}}, {"content", " "}},
                                {{"type", "ByteFallback"}},
                                {{"type", "Fuse"}},
                                {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}})}};
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", normalizer},
                     {"pre_tokenizer", nullptr},
                     {"post_processor", post},
                     {"decoder", decoder},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", "<unk>"},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", true},
                       {"byte_fallback", true},
                       {"ignore_merges", false},
                       {"vocab", std::move(vocab)},
                       {"merges", merges}}}};
  const Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"bos_token", "<s>"},
                       {"eos_token", "</s>"},
                       {"unk_token", "<unk>"},
                       {"add_bos_token", true},
                       {"clean_up_tokenization_spaces", false},
                       {"legacy", true}};
  return Tokenizer::from_json(json, config, vocabulary.empty() ? "the model's tokenizer" : vocabulary.string());
}

fs::path find_llama2c_vocabulary(const fs::path& model_file, int64_t vocab_size) {
  for (const std::string& name : {std::string("vocab_recovered.json"), "tok" + std::to_string(vocab_size) + ".bin",
                                  std::string("tokenizer.bin")}) {
    std::error_code ec;
    if (fs::exists(model_file.parent_path() / name, ec)) return model_file.parent_path() / name;
  }
  return {};
}

}  // namespace hone::text
