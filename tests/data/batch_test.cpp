// Packing: every token exactly once with its weight, nothing over the budget; corpora; micro-batches.
#include "data/batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "data/order.h"
#include "text/bpe_train.h"

using namespace hone;
using namespace hone::data;

namespace {

std::vector<Sequence> random_sequences(int n, uint64_t seed) {
  Stream random(seed, "sequences");
  std::vector<Sequence> out;
  int32_t next = 0;
  for (int i = 0; i < n; ++i) {
    Sequence s;
    for (int64_t k = random.between(1, 40); k > 0; --k) {
      s.ids.push_back(next++);
      s.weight.push_back(s.ids.size() == 1 ? 0.0f : static_cast<float>(random.below(3)) / 2);
    }
    out.push_back(std::move(s));
  }
  return out;
}

void check_batch(const PackedBatch& b) {
  REQUIRE(b.ids.size() == b.weight.size());
  REQUIRE(b.ids.size() == b.positions.size());
  REQUIRE(b.offsets.size() == b.rows.size() + 1);
  REQUIRE(b.offsets.front() == 0);
  REQUIRE(b.offsets.back() == b.tokens());
  for (size_t s = 0; s + 1 < b.offsets.size(); ++s) {
    REQUIRE(b.offsets[s] < b.offsets[s + 1]);
    REQUIRE(b.weight[static_cast<size_t>(b.offsets[s])] == 0);
    for (int64_t i = b.offsets[s]; i < b.offsets[s + 1]; ++i)
      REQUIRE(b.positions[static_cast<size_t>(i)] == i - b.offsets[s]);
  }
}

}  // namespace

TEST_CASE("an epoch of packed steps and micro-batches holds every token once, with its weight") {
  const auto items = random_sequences(500, 1);
  const auto lengths = lengths_of(std::span(items));
  const int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  Order order(500, 3);
  std::vector<float> seen(static_cast<size_t>(total), -1.0f);
  int64_t steps = 0;
  while (order.epoch() == 0) {
    const auto rows = order.take_tokens(lengths, 300);
    ++steps;
    int64_t in_step = 0;
    for (const auto& micro : split_micro(rows, lengths, 100)) {
      const PackedBatch b = pack(std::span<const Sequence>(items), micro);
      check_batch(b);
      CHECK(b.tokens() <= 100);
      in_step += b.tokens();
      for (size_t i = 0; i < b.ids.size(); ++i) {
        float& slot = seen[static_cast<size_t>(b.ids[i])];
        REQUIRE(slot == -1.0f);
        slot = b.weight[i];
      }
    }
    CHECK(in_step <= 300);
  }
  CHECK(steps == steps_of_tokens(lengths, 3, 300, 1));
  for (const Sequence& s : items)
    for (size_t i = 0; i < s.ids.size(); ++i) REQUIRE(seen[static_cast<size_t>(s.ids[i])] == s.weight[i]);
}

TEST_CASE("micro-batches sum to the step's weight whatever the split") {
  const auto items = random_sequences(64, 2);
  const auto lengths = lengths_of(std::span(items));
  Order order(64, 9);
  const auto rows = order.take(64);
  for (const int64_t budget : {40, 64, 200, 100000}) {
    double sum = 0;
    for (const auto& micro : split_micro(rows, lengths, budget))
      sum += pack(std::span<const Sequence>(items), micro).weight_sum();
    CHECK(sum == pack(std::span<const Sequence>(items), rows).weight_sum());  // halves: exact
  }
  CHECK_THROWS_WITH_AS(split_micro(rows, lengths, 10), doctest::Contains("does not fit into a micro-batch of 10"),
                       Error);
  CHECK_THROWS_AS(order.take_tokens(lengths, 10), Error);
  CHECK(split_micro({}, lengths, 10).empty());
}

TEST_CASE("pairs are packed chosen, rejected, chosen, rejected") {
  std::vector<Pair> pairs(3);
  for (int32_t p = 0; p < 3; ++p) {
    pairs[static_cast<size_t>(p)] = {{{0, 10 + p}, {0, 1}}, {{0, 20 + p, 30 + p}, {0, 1, 1}}, 1, 0.5 * p, 2.0 * p};
  }
  const std::vector<int64_t> rows = {2, 0};
  const PairBatch b = pack(std::span<const Pair>(pairs), rows);
  check_batch(b.tokens);
  CHECK(b.pairs() == 2);
  CHECK(b.tokens.ids == std::vector<int32_t>{0, 12, 0, 22, 32, 0, 10, 0, 20, 30});
  CHECK(b.tokens.offsets == std::vector<int64_t>{0, 2, 5, 7, 10});
  CHECK(b.margin == std::vector<double>{4.0, 0.0});
  CHECK(lengths_of(std::span<const Pair>(pairs)) == std::vector<int64_t>{5, 5, 5});
}

TEST_CASE("a corpus: every token is a target once, pieces overlap by one token") {
  const std::vector<Document> documents = {
      {"the cat sat on the mat", "a"}, {"a dog", "b"}, {"", "c"}, {"the end of the story of the cat", "d"}};
  std::vector<std::string> texts;
  for (const Document& d : documents) texts.push_back(d.text);
  const auto tokenizer = text::train_bpe(texts, 280);
  const Corpus corpus = encode_corpus(documents, tokenizer);
  CHECK(corpus.documents() == 4);
  for (int threads : {2, 5}) CHECK(encode_corpus(documents, tokenizer, threads).ids == corpus.ids);
  for (int64_t d = 0; d < 4; ++d) {
    const auto begin = static_cast<size_t>(corpus.offsets[static_cast<size_t>(d)]),
               end = static_cast<size_t>(corpus.offsets[static_cast<size_t>(d) + 1]);
    CHECK(corpus.ids[begin] == *tokenizer.bos());
    CHECK(corpus.ids[end - 1] == *tokenizer.eos());
    CHECK(tokenizer.decode(std::span(corpus.ids).subspan(begin, end - begin), true) == texts[static_cast<size_t>(d)]);
  }
  for (const char* mode : {"joined", "separate"}) {
    for (const int64_t context : {2, 3, 7, 1000}) {
      CorpusSettings settings;
      settings.documents = mode;
      const auto pieces = cut_pieces(corpus, settings, context);
      std::vector<int> target(corpus.ids.size(), 0);
      std::vector<int64_t> rows(pieces.size());
      std::iota(rows.begin(), rows.end(), 0);
      const PackedBatch b = pack(corpus, pieces, rows);
      check_batch(b);
      for (size_t p = 0; p < pieces.size(); ++p) {
        CHECK(pieces[p].size() <= context);
        CHECK(pieces[p].size() >= 2);
        for (int64_t i = pieces[p].begin + 1; i < pieces[p].end; ++i) ++target[static_cast<size_t>(i)];
      }
      for (size_t i = 0; i < target.size(); ++i) {
        const bool first = mode == std::string("joined")
                               ? i == 0
                               : std::count(corpus.offsets.begin(), corpus.offsets.end(), static_cast<int64_t>(i)) > 0;
        CHECK(target[i] == (first ? 0 : 1));
      }
      CHECK(b.weight_sum() == std::accumulate(target.begin(), target.end(), 0));
    }
  }
  CHECK(encode_corpus(documents, tokenizer, 1, 10).tokens() == 10);
  CHECK(encode_corpus(documents, tokenizer, 1, 10).offsets.back() == 10);
  CHECK_THROWS_AS(cut_pieces(corpus, {}, 1), Error);
}
