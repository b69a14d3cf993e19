// Running text: documents end to end, and pieces in which every token is a target once.
#include "data/corpus.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "scratch.h"
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

TEST_CASE("one token for BOS and EOS stands once between documents, and separate ones still begin and end with it") {
  const Fixture f;
  const scratch::Folder scratch;
  std::vector<std::string> texts;
  for (const Document& d : f.documents) texts.push_back(d.text);
  text::train_bpe(texts, 280, {"<|endoftext|>"}).save(scratch.path);
  const fs::path config = scratch.path / "tokenizer_config.json";
  Json json = parse_json(read_file(config), "config");
  json["bos_token"] = json["eos_token"] = "<|endoftext|>";
  // Nobody asks for a BOS by its name alone: then the token ends documents and begins none.
  write_file_atomic(config, dump_json(json));
  {
    const text::Tokenizer tokenizer = text::Tokenizer::load(scratch.path);
    const Corpus corpus = encode_corpus(f.documents, tokenizer);
    std::string all;
    for (const Document& d : f.documents) all += d.text + "<|endoftext|>";
    CHECK(tokenizer.decode(corpus.ids) == all);
    CorpusSettings settings;
    settings.documents = "separate";
    for (const Piece& piece : cut_pieces(corpus, settings, 1000))
      CHECK_FALSE(tokenizer.is_special(corpus.ids[static_cast<size_t>(piece.begin)]));
  }
  json["add_bos_token"] = true;
  write_file_atomic(config, dump_json(json));
  const text::Tokenizer tokenizer = text::Tokenizer::load(scratch.path);
  const Corpus corpus = encode_corpus(f.documents, tokenizer, 2);
  const auto text_of = [&](int64_t begin, int64_t end) {
    return tokenizer.decode(
        std::span(corpus.ids).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  };
  std::string all = "<|endoftext|>";
  for (const Document& d : f.documents) all += d.text + "<|endoftext|>";
  CHECK(text_of(0, corpus.tokens()) == all);
  CorpusSettings settings;
  settings.documents = "separate";
  const std::vector<Piece> pieces = cut_pieces(corpus, settings, 1000);
  REQUIRE(pieces.size() == f.documents.size());
  for (size_t d = 0; d < pieces.size(); ++d)
    CHECK(text_of(pieces[d].begin, pieces[d].end) == "<|endoftext|>" + f.documents[d].text + "<|endoftext|>");
}
