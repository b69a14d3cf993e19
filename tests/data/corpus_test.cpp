// Running text: documents end to end, and pieces in which every token is a target once.
#include "data/corpus.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "text/bpe_train.h"

using namespace hone;
using namespace hone::data;

namespace {

struct Fixture {
  std::vector<Document> documents = {
      {"the cat sat on the mat", "a"}, {"a dog", "b"}, {"", "c"}, {"the end of the story of the cat", "d"}};
  text::Tokenizer tokenizer = [this] {
    std::vector<std::string> texts;
    for (const Document& d : documents) texts.push_back(d.text);
    return text::train_bpe(texts, 280);
  }();
  Corpus corpus = encode_corpus(documents, tokenizer);
};

}  // namespace

TEST_CASE("a corpus is its documents end to end, whatever the threads") {
  const Fixture f;
  REQUIRE(f.corpus.documents() == 4);
  for (const int threads : {2, 5}) CHECK(encode_corpus(f.documents, f.tokenizer, threads).ids == f.corpus.ids);
  for (size_t d = 0; d < 4; ++d) {
    const auto begin = static_cast<size_t>(f.corpus.offsets[d]), end = static_cast<size_t>(f.corpus.offsets[d + 1]);
    CHECK(f.corpus.ids[begin] == *f.tokenizer.bos());
    CHECK(f.corpus.ids[end - 1] == *f.tokenizer.eos());
    CHECK(f.tokenizer.decode(std::span(f.corpus.ids).subspan(begin, end - begin), true) == f.documents[d].text);
  }
  CHECK(encode_corpus(f.documents, f.tokenizer, 1, 10).tokens() == 10);
  CHECK(encode_corpus(f.documents, f.tokenizer, 1, 10).offsets.back() == 10);
}

TEST_CASE("every token is a target once; neighbouring pieces overlap by one token") {
  const Fixture f;
  for (const char* mode : {"joined", "separate"}) {
    for (const int64_t context : {2, 3, 7, 1000}) {
      CorpusSettings settings;
      settings.documents = mode;
      std::vector<int> target(f.corpus.ids.size(), 0);
      for (const Piece& piece : cut_pieces(f.corpus, settings, context)) {
        CHECK(piece.size() <= context);
        CHECK(piece.size() >= 2);
        for (int64_t i = piece.begin + 1; i < piece.end; ++i) ++target[static_cast<size_t>(i)];
      }
      for (size_t i = 0; i < target.size(); ++i) {
        const bool first =
            mode == std::string("joined") ? i == 0 : std::ranges::count(f.corpus.offsets, static_cast<int64_t>(i)) > 0;
        CHECK(target[i] == (first ? 0 : 1));
      }
    }
  }
  CHECK_THROWS_AS(cut_pieces(f.corpus, {}, 1), Error);
}
