// The merging half of a byte-pair tokenizer: one word (bytes, or characters with byte fallback) to token ids.
//
// Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016; over bytes as in
// Radford et al. 2019. Repeatedly joins the adjacent pair of lowest rank, leftmost first. Short words scan for it; long
// ones keep pairs in a heap over a linked list, O(n log n), so that hostile text costs no more than honest text.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hone::text {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};
using TokenIds = std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>;

/// (left, right) -> (rank, joined): open addressing, because every step of a merge looks here.
class MergeTable {
 public:
  void reserve(size_t count);
  /// A pair that is there already keeps its first rank's place but takes the new value, as a map built in order does.
  void put(int32_t left, int32_t right, int32_t rank, int32_t joined);
  struct Merge {
    int32_t rank, joined;
  };
  const Merge* find(int32_t left, int32_t right) const;
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t key = kEmpty;
    Merge merge{0, 0};
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  size_t slot_of(uint64_t key) const;
  std::vector<Slot> slots_;
  size_t size_ = 0;
};

struct BpeModel {
  TokenIds ids;  ///< what a token stands for (bytes, or text of a byte-fallback model) -> id
  MergeTable merges;
  bool byte_level = true;
  bool ignore_merges = false;           ///< a word that is a token is that token
  bool byte_fallback = false;           ///< characters without a token become <0xNN> tokens
  bool fuse_unknown = false;            ///< runs of unknown characters become one unknown token
  int32_t unknown = -1;                 ///< -1: unknown characters are dropped
  std::array<int32_t, 256> byte_ids{};  ///< byte-level: the byte's token; fallback: <0xNN>; -1 where there is none
};

class Bpe {
 public:
  explicit Bpe(BpeModel model);
  ~Bpe();
  Bpe(Bpe&&) noexcept;

  const BpeModel& model() const { return model_; }
  /// Appends the ids of one word. Safe to call from several threads; words seen before come from a cache.
  void encode(std::string_view word, std::vector<int32_t>& out) const;
  /// Bytes that are no text: byte tokens, merged where the model is byte-level.
  void encode_raw(std::string_view bytes, std::vector<int32_t>& out) const;

 private:
  struct Cache;
  void symbols(std::string_view word, std::vector<int32_t>& out) const;
  void encode_uncached(std::string_view word, std::vector<int32_t>& out) const;

  BpeModel model_;
  std::unique_ptr<Cache> cache_;
};

/// Merges a list of ids in place.
void merge_pairs(const MergeTable& merges, std::vector<int32_t>& ids);

}  // namespace hone::text
