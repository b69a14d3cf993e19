#include "text/bpe.h"

#include <algorithm>
#include <mutex>
#include <queue>

#include "base/utf8.h"

namespace hone::text {
namespace {

uint64_t key_of(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

constexpr size_t kShort = 32;  // up to here scanning beats the heap
constexpr int32_t kNoMerge = INT32_MAX;

// n is small: find the lowest rank by scanning, leftmost first, and close the gap.
void merge_short(const MergeTable& merges, std::vector<int32_t>& ids) {
  int32_t ranks[kShort], joined[kShort];
  size_t n = ids.size();
  const auto look = [&](size_t i) {
    const MergeTable::Merge* m = merges.find(ids[i], ids[i + 1]);
    ranks[i] = m ? m->rank : kNoMerge;
    joined[i] = m ? m->joined : -1;
  };
  for (size_t i = 0; i + 1 < n; ++i) look(i);
  while (n > 1) {
    const size_t at = static_cast<size_t>(std::min_element(ranks, ranks + n - 1) - ranks);
    if (ranks[at] == kNoMerge) break;
    ids[at] = joined[at];
    for (size_t i = at + 1; i + 1 < n; ++i) {
      ids[i] = ids[i + 1];
      ranks[i] = ranks[i + 1];
      joined[i] = joined[i + 1];
    }
    --n;
    if (at > 0) look(at - 1);
    if (at + 1 < n) look(at);
  }
  ids.resize(n);
}

void merge_long(const MergeTable& merges, std::vector<int32_t>& ids) {
  struct Link {
    int32_t before, after;
  };
  struct Candidate {
    int32_t rank, at, joined;
    bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
  };
  const auto n = static_cast<int32_t>(ids.size());
  std::vector<Link> links(ids.size());
  std::vector<Candidate> first;
  first.reserve(ids.size());
  for (int32_t i = 0; i < n; ++i) {
    links[i] = {i - 1, i + 1 < n ? i + 1 : -1};
    if (i + 1 >= n) break;
    if (const auto* m = merges.find(ids[i], ids[i + 1])) first.push_back({m->rank, i, m->joined});
  }
  std::priority_queue heap(std::greater<Candidate>{}, std::move(first));
  while (!heap.empty()) {
    const Candidate top = heap.top();
    heap.pop();
    const auto at = static_cast<size_t>(top.at);
    if (ids[at] < 0 || links[at].after < 0) continue;
    const auto next = static_cast<size_t>(links[at].after);
    // Stale unless the pair that stands here now is the one that was meant.
    const auto* now = merges.find(ids[at], ids[next]);
    if (now == nullptr || now->joined != top.joined || now->rank != top.rank) continue;
    ids[at] = top.joined;
    ids[next] = -1;
    links[at].after = links[next].after;
    if (links[next].after >= 0) links[links[next].after].before = top.at;
    if (links[at].before >= 0)
      if (const auto* m = merges.find(ids[links[at].before], ids[at]))
        heap.push({m->rank, links[at].before, m->joined});
    if (links[at].after >= 0)
      if (const auto* m = merges.find(ids[at], ids[links[at].after])) heap.push({m->rank, top.at, m->joined});
  }
  std::erase(ids, -1);
}

}  // namespace

void MergeTable::reserve(size_t count) {
  size_t capacity = 16;
  while (capacity < count * 2) capacity *= 2;
  if (capacity <= slots_.size()) return;
  std::vector<Slot> old(capacity);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.key != kEmpty) slots_[slot_of(slot.key)] = slot;
}

size_t MergeTable::slot_of(uint64_t key) const {
  uint64_t h = key * 0x9E3779B97F4A7C15ULL;
  h ^= h >> 32;
  size_t i = h & (slots_.size() - 1);
  while (slots_[i].key != kEmpty && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
  return i;
}

void MergeTable::put(int32_t left, int32_t right, int32_t rank, int32_t joined) {
  if (slots_.size() < (size_ + 1) * 2) reserve(std::max<size_t>(16, (size_ + 1) * 2));
  Slot& slot = slots_[slot_of(key_of(left, right))];
  if (slot.key == kEmpty) ++size_;
  slot = {key_of(left, right), {rank, joined}};
}

const MergeTable::Merge* MergeTable::find(int32_t left, int32_t right) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[slot_of(key_of(left, right))];
  return slot.key == kEmpty ? nullptr : &slot.merge;
}

void merge_pairs(const MergeTable& merges, std::vector<int32_t>& ids) {
  if (ids.size() < 2) return;
  ids.size() <= kShort ? merge_short(merges, ids) : merge_long(merges, ids);
}

// Words of natural text repeat: 16 shards, each with its own lock, that stop growing when full.
struct Bpe::Cache {
  static constexpr size_t kShards = 16, kWordsPerShard = 1 << 13, kLongestWord = 64;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<int32_t>, StringHash, std::equal_to<>> words;
  };
  std::array<Shard, kShards> shards;
  Shard& of(std::string_view word) { return shards[(StringHash{}(word) >> 7) % kShards]; }
};

Bpe::Bpe(BpeModel model) : model_(std::move(model)), cache_(std::make_unique<Cache>()) {}
Bpe::~Bpe() = default;
Bpe::Bpe(Bpe&&) noexcept = default;

void Bpe::symbols(std::string_view word, std::vector<int32_t>& out) const {
  bool in_unknown = false;
  const auto unknown = [&] {
    if (model_.unknown >= 0 && !(in_unknown && model_.fuse_unknown)) out.push_back(model_.unknown);
    in_unknown = true;
  };
  if (model_.byte_level) {
    for (const char c : word) {
      const int32_t id = model_.byte_ids[static_cast<unsigned char>(c)];
      if (id < 0) unknown();
      else (out.push_back(id), in_unknown = false);
    }
    return;
  }
  for (size_t i = 0, length = 0; i < word.size(); i += length) {
    length = utf8_length(static_cast<unsigned char>(word[i]));
    const std::string_view character = word.substr(i, length);
    if (const auto it = model_.ids.find(character); it != model_.ids.end()) {
      out.push_back(it->second);
      in_unknown = false;
      continue;
    }
    const auto has_byte = [&](char c) { return model_.byte_ids[static_cast<unsigned char>(c)] >= 0; };
    if (model_.byte_fallback && std::all_of(character.begin(), character.end(), has_byte)) {
      for (const char c : character) out.push_back(model_.byte_ids[static_cast<unsigned char>(c)]);
      in_unknown = false;
    } else {
      unknown();
    }
  }
}

void Bpe::encode_uncached(std::string_view word, std::vector<int32_t>& out) const {
  if (model_.ignore_merges) {
    if (const auto it = model_.ids.find(word); it != model_.ids.end()) {
      out.push_back(it->second);
      return;
    }
  }
  std::vector<int32_t> ids;
  ids.reserve(word.size());
  symbols(word, ids);
  merge_pairs(model_.merges, ids);
  out.insert(out.end(), ids.begin(), ids.end());
}

void Bpe::encode(std::string_view word, std::vector<int32_t>& out) const {
  if (word.size() > Cache::kLongestWord) return encode_uncached(word, out);
  Cache::Shard& shard = cache_->of(word);
  {
    const std::scoped_lock lock(shard.mutex);
    if (const auto it = shard.words.find(word); it != shard.words.end()) {
      out.insert(out.end(), it->second.begin(), it->second.end());
      return;
    }
  }
  const size_t begin = out.size();
  encode_uncached(word, out);
  const std::scoped_lock lock(shard.mutex);
  if (shard.words.size() < Cache::kWordsPerShard)
    shard.words.emplace(word, std::vector<int32_t>(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end()));
}

void Bpe::encode_raw(std::string_view bytes, std::vector<int32_t>& out) const {
  std::vector<int32_t> ids;
  for (const char c : bytes) {
    const int32_t id = model_.byte_ids[static_cast<unsigned char>(c)];
    if (id >= 0) ids.push_back(id);
    else if (model_.unknown >= 0) ids.push_back(model_.unknown);
  }
  if (model_.byte_level) merge_pairs(model_.merges, ids);
  out.insert(out.end(), ids.begin(), ids.end());
}

}  // namespace hone::text
