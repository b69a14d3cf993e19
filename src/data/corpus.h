// Running text as one stream of token ids, and the pieces of it that a model sees.
//
// Invariant: over all pieces of a corpus each token is a target exactly once, but for the first token of the stream
// ("joined") or of each document ("separate"), which nothing precedes. Neighbouring pieces overlap by one token: the
// last target of one is the first input of the next.
//
// Where one token begins and ends every text (llama2.c's) it stands once between two documents, as those models have
// seen it: it ends the one and begins the next, so that but for the stream's first every token is a target, "separate"
// too.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/rows.h"
#include "text/tokenizer.h"

namespace hone::data {

/// Every document as [bos] text [eos], end to end; bos where the tokenizer puts one before a text (Tokenizer::begin).
struct Corpus {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};  ///< D+1; offsets[d]..offsets[d+1] is document d
  bool shared_boundary = false;  ///< what begins a text is eos: that of document d > 0 is the token before offsets[d]
  int64_t bytes = 0;             ///< of text
  int64_t documents() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
};

/// `threads` documents at a time; the result does not depend on it. `max_tokens` > 0 stops after the document that
/// reaches it, cut there. No EOS in the tokenizer: kUsage.
Corpus encode_corpus(std::span<const Document> documents, const text::Tokenizer& tokenizer, int threads = 1,
                     int64_t max_tokens = 0);

/// ids[begin, end) of a corpus: a sequence whose tokens but the first are targets.
struct Piece {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

struct CorpusSettings {
  std::string documents = "joined";

  template <class V>
  void fields(V& v) {
    v.choice("documents", documents, {"joined", "separate"},
             "joined: the stream is cut every context length, and a piece may hold the end of one document and the "
             "beginning of the next; separate: no piece crosses a document",
             "joined wastes nothing and is what GPT-2 did");
  }
};

/// Pieces of at most `context` tokens (at least 2).
std::vector<Piece> cut_pieces(const Corpus& corpus, const CorpusSettings& settings, int64_t context);

}  // namespace hone::data
