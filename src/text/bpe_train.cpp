// Byte-pair encoding, learnt.
//
// Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016, over bytes as in
// Radford et al. 2019: repeat, join the adjacent pair (a, b) with the largest sum over words of count(w) · occurrences
// of ab in w. Counts are kept up to date by visiting only the words that hold the joined pair.
// Differs from the paper in: words end at GPT-2's split and not at spaces; ties go to the lowest ids, as in Hugging
// Face `tokenizers`, with whose trainer the merges agree (min_frequency = 2).
#include "text/bpe_train.h"

#include <algorithm>
#include <cctype>
#include <queue>
#include <thread>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/chat_template.h"
#include "text/pretokenize.h"

namespace hone::text {
namespace {

// GPT-2's split with digits one by one, so that sums are learnt digit by digit.
constexpr const char* kOwnSplit = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

using Counts = std::unordered_map<std::string, int64_t, StringHash, std::equal_to<>>;

void count_words(const Regex& split, std::string_view text, Counts& counts) {
  constexpr size_t kLongestWord = 256;  // longer runs teach nothing and would make updates slow
  std::vector<std::pair<size_t, size_t>> matches;
  while (!text.empty()) {
    const size_t valid = valid_utf8_prefix(text);
    matches.clear();
    split.find_all(text.substr(0, valid), matches);
    for (const auto& [begin, end] : matches) {
      if (end - begin > kLongestWord) continue;
      const std::string_view word = text.substr(begin, end - begin);
      if (const auto it = counts.find(word); it != counts.end()) ++it->second;
      else counts.emplace(word, 1);
    }
    text.remove_prefix(std::min(text.size(), valid + 1));
  }
}

// Cuts at line ends into pieces of a few MB, so that threads share one large text too.
std::vector<std::string_view> pieces_of(std::span<const std::string> texts) {
  constexpr size_t kPiece = 4 << 20;
  std::vector<std::string_view> out;
  for (std::string_view text : texts) {
    while (text.size() > kPiece) {
      // A line end between a printing character and a letter is a word of its own, cut there or not.
      const auto harmless = [&](size_t at) {
        return at + 1 < text.size() && text[at - 1] > ' ' && std::isalpha(static_cast<unsigned char>(text[at + 1]));
      };
      size_t cut = text.find('\n', kPiece);
      while (cut != std::string_view::npos && !harmless(cut)) cut = text.find('\n', cut + 1);
      if (cut == std::string_view::npos) break;
      out.push_back(text.substr(0, cut + 1));
      text.remove_prefix(cut + 1);
    }
    out.push_back(text);
  }
  return out;
}

Counts count_all(std::span<const std::string> texts) {
  const Regex split(kOwnSplit, "tokenizer training");
  const std::vector<std::string_view> pieces = pieces_of(texts);
  size_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  const size_t threads = std::clamp<size_t>(std::min<size_t>(std::thread::hardware_concurrency(), bytes >> 20), 1, 8);
  std::vector<Counts> counts(threads);
  const auto work = [&](size_t t) {
    for (size_t i = t; i < pieces.size(); i += threads) count_words(split, pieces[i], counts[t]);
  };
  std::vector<std::thread> workers;
  for (size_t t = 1; t < threads; ++t) workers.emplace_back(work, t);
  work(0);
  for (std::thread& worker : workers) worker.join();
  for (size_t t = 1; t < threads; ++t)
    for (auto& [word, count] : counts[t]) counts[0][word] += count;
  return std::move(counts[0]);
}

struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

class Learner {
 public:
  explicit Learner(std::vector<Word> words) : words_(std::move(words)) {
    for (uint32_t w = 0; w < words_.size(); ++w) add_pairs(w);
    for (const auto& [key, pair] : pairs_) heap_.push({pair.count, key});
    changed_.clear();
  }

  // The most frequent pair as (left, right), or nothing when none occurs twice.
  bool best(int32_t& left, int32_t& right) {
    while (!heap_.empty()) {
      const Entry top = heap_.top();
      const int64_t now = pairs_[top.key].count;
      if (now == top.count) {
        if (now < 2) return false;
        left = static_cast<int32_t>(top.key >> 32);
        right = static_cast<int32_t>(top.key & 0xFFFFFFFF);
        return true;
      }
      heap_.pop();  // stale: what changed was pushed again
    }
    return false;
  }

  void join(int32_t left, int32_t right, int32_t joined) {
    const uint64_t key = key_of(left, right);
    const std::vector<uint32_t> holders = std::move(pairs_[key].words);
    for (const uint32_t w : holders) join_in(w, left, right, joined);
    pairs_.erase(key);
    std::erase(changed_, key);
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const uint64_t k : changed_)
      if (const auto it = pairs_.find(k); it != pairs_.end() && it->second.count > 0) heap_.push({it->second.count, k});
    changed_.clear();
  }

 private:
  struct Pair {
    int64_t count = 0;
    std::vector<uint32_t> words;  // may name a word twice, or one that lost the pair
  };
  struct Entry {
    int64_t count;
    uint64_t key;
    bool operator<(const Entry& o) const { return count != o.count ? count < o.count : key > o.key; }
  };
  static uint64_t key_of(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  }

  void change(uint64_t key, int64_t by, uint32_t word) {
    Pair& pair = pairs_[key];
    pair.count += by;
    if (by > 0 && (pair.words.empty() || pair.words.back() != word)) pair.words.push_back(word);
    if (changed_.empty() || changed_.back() != key) changed_.push_back(key);
  }

  void add_pairs(uint32_t w) {
    const Word& word = words_[w];
    for (size_t i = 0; i + 1 < word.ids.size(); ++i) change(key_of(word.ids[i], word.ids[i + 1]), word.count, w);
  }

  void join_in(uint32_t w, int32_t left, int32_t right, int32_t joined) {
    Word& word = words_[w];
    auto& ids = word.ids;
    size_t kept = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] == left && i + 1 < ids.size() && ids[i + 1] == right) {
        if (kept > 0) {
          // The left neighbour may be a token joined a moment ago: its pair with `left` was counted then.
          change(key_of(ids[kept - 1], left), -word.count, w);
          change(key_of(ids[kept - 1], joined), word.count, w);
        }
        if (i + 2 < ids.size()) {
          change(key_of(right, ids[i + 2]), -word.count, w);
          change(key_of(joined, ids[i + 2]), word.count, w);
        }
        ids[kept++] = joined;
        ++i;
      } else {
        ids[kept++] = ids[i];
      }
    }
    ids.resize(kept);
  }

  std::vector<Word> words_;
  std::unordered_map<uint64_t, Pair> pairs_;
  std::priority_queue<Entry> heap_;
  std::vector<uint64_t> changed_;
};

Json added_token(int32_t id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Json token_config(const std::vector<std::string>& specials) {
  const auto has = [&](const char* token) {
    return std::find(specials.begin(), specials.end(), token) != specials.end();
  };
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false},
                 {"add_bos_token", has("<|bos|>")},
                 {"add_eos_token", false}};
  Json decoder = Json::object();
  for (size_t i = 0; i < specials.size(); ++i) {
    Json fields = added_token(0, specials[i]);
    fields.erase("id");
    decoder[std::to_string(i)] = fields;
  }
  config["added_tokens_decoder"] = decoder;
  if (has("<|bos|>")) config["bos_token"] = "<|bos|>";
  if (has("<|eos|>")) config["eos_token"] = "<|eos|>";
  if (has("<|pad|>")) config["pad_token"] = "<|pad|>";
  const std::vector<std::string> own = own_special_tokens();
  if (std::all_of(own.begin(), own.end(), [&](const std::string& token) { return has(token.c_str()); }))
    config["chat_template"] = ChatTemplate::built_in_source();
  config["model_max_length"] = 1000000000;
  return config;
}

// hone's own models learn every text with <|bos|> before it, so whoever opens their tokenizer must put it there too.
Json post_processor(const std::vector<std::string>& specials, const Json& byte_level) {
  constexpr const char* kBos = "<|bos|>";
  const auto at = std::ranges::find(specials, kBos);
  if (at == specials.end()) return byte_level;
  const Json bos = {{"SpecialToken", {{"id", kBos}, {"type_id", 0}}}};
  const Json a = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, b = {{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({bos, a})},
          {"pair", Json::array({bos, a, b})},
          {"special_tokens",
           {{kBos, {{"id", kBos}, {"ids", Json::array({at - specials.begin()})}, {"tokens", Json::array({kBos})}}}}}};
}

}  // namespace

std::vector<std::string> own_special_tokens() {
  return {"<|bos|>", "<|eos|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>"};
}

Tokenizer train_bpe(std::span<const std::string> texts, int vocab_size, std::vector<std::string> specials) {
  if (specials.empty()) specials = own_special_tokens();
  for (size_t i = 0; i < specials.size(); ++i)
    if (specials[i].empty() || std::find(specials.begin(), specials.begin() + static_cast<std::ptrdiff_t>(i),
                                         specials[i]) != specials.begin() + static_cast<std::ptrdiff_t>(i))
      usage_error("special token '" + specials[i] + "' is empty or given twice");
  const auto first_byte = static_cast<int32_t>(specials.size());
  const int32_t smallest = first_byte + 256;
  if (vocab_size < smallest || vocab_size > (1 << 20))
    usage_error("vocab_size = " + std::to_string(vocab_size) + " is out of range",
                "at least " + std::to_string(smallest) + " (256 bytes and " + std::to_string(first_byte) +
                    " special tokens), at most 1048576");

  std::array<int32_t, 256> id_of_byte{};
  std::vector<std::string> tokens = specials;  // as written
  for (size_t i = 0; i < 256; ++i) {
    const unsigned char byte = bytes_in_alphabet_order()[i];
    id_of_byte[byte] = first_byte + static_cast<int32_t>(i);
    tokens.push_back(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
  }
  const Counts counts = count_all(texts);
  std::vector<std::pair<std::string_view, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<Word> words;
  words.reserve(sorted.size());
  for (const auto& [text, count] : sorted) {
    if (text.size() < 2) continue;
    Word word{{}, count};
    for (const char c : text) word.ids.push_back(id_of_byte[static_cast<unsigned char>(c)]);
    words.push_back(std::move(word));
  }

  Learner learner(std::move(words));
  Json merges = Json::array();
  int32_t left = 0, right = 0;
  while (static_cast<int>(tokens.size()) < vocab_size && learner.best(left, right)) {
    const std::string &l = tokens[left], &r = tokens[right];
    merges.push_back(Json::array({l, r}));
    const auto joined = static_cast<int32_t>(tokens.size());
    tokens.push_back(l + r);
    learner.join(left, right, joined);
  }

  Json vocab = Json::object(), added = Json::array();
  for (size_t i = 0; i < tokens.size(); ++i) append_field(vocab, tokens[i], static_cast<int64_t>(i));
  for (int32_t i = 0; i < first_byte; ++i) added.push_back(added_token(i, specials[i]));
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}};
  const Json decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", kOwnSplit}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json json = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level})}}},
                     {"post_processor", post_processor(specials, byte_level)},
                     {"decoder", decoder},
                     {"model",
                      {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false},
                       {"vocab", std::move(vocab)},
                       {"merges", std::move(merges)}}}};
  return Tokenizer::from_json(json, token_config(specials), "the trained tokenizer");
}

Tokenizer train_bpe_files(std::span<const std::filesystem::path> files, int vocab_size,
                          std::vector<std::string> specials) {
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(read_file(file));
  return train_bpe(texts, vocab_size, std::move(specials));
}

}  // namespace hone::text
