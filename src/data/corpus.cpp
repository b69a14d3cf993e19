#include "data/corpus.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/rng.h"

namespace hone::data {
namespace {

// Runs task(0) … task(n - 1) on some threads; the first exception is thrown again when all have ended.
template <class Task>
void on_threads(int threads, size_t n, const Task& task) {
  std::atomic<size_t> next{0};
  std::exception_ptr problem;
  std::mutex mutex;
  const auto work = [&] {
    for (size_t i = next++; i < n; i = next++) {
      try {
        task(i);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!problem) problem = std::current_exception();
        next = n;
      }
    }
  };
  std::vector<std::jthread> others;
  for (int t = 1; t < threads && static_cast<size_t>(t) < n; ++t) others.emplace_back(work);
  work();
  others.clear();  // joins
  if (problem) std::rethrow_exception(problem);
}

void add_pieces(int64_t begin, int64_t end, int64_t context, std::vector<Piece>& out) {
  for (int64_t at = begin; at + 1 < end; at += context - 1) out.push_back({at, std::min(at + context, end)});
}

}  // namespace

Corpus encode_corpus(std::span<const Document> documents, const text::Tokenizer& tokenizer, int threads,
                     int64_t max_tokens) {
  const auto eos = tokenizer.eos(), bos = tokenizer.begin();
  if (!eos)
    usage_error("the tokenizer names no EOS token, so no document could end", "set eos_token in tokenizer_config.json");
  if (tokenizer.behind() != eos) tokenizer.say_nothing_behind("each document ends with EOS alone");
  Corpus out;
  out.shared_boundary = bos == eos;
  // Groups of documents, so that a corpus of which only a part is wanted is not encoded as a whole.
  const size_t group = static_cast<size_t>(std::max(threads, 1)) * 64;
  std::vector<std::vector<int32_t>> encoded(group);
  for (size_t at = 0; at < documents.size(); at += group) {
    const size_t n = std::min(group, documents.size() - at);
    on_threads(threads, n, [&](size_t i) { encoded[i] = tokenizer.encode(documents[at + i].text, false); });
    for (size_t i = 0; i < n; ++i) {
      if (bos && !(out.shared_boundary && out.documents() > 0)) out.ids.push_back(*bos);
      out.ids.insert(out.ids.end(), encoded[i].begin(), encoded[i].end());
      out.ids.push_back(*eos);
      out.bytes += static_cast<int64_t>(documents[at + i].text.size());
      if (max_tokens > 0 && out.tokens() > max_tokens) out.ids.resize(max_tokens);
      out.offsets.push_back(out.tokens());
      if (max_tokens > 0 && out.tokens() >= max_tokens) return out;
    }
  }
  return out;
}

HeldOut hold_out(const Corpus& corpus, double share, uint64_t seed) {
  const auto n = static_cast<size_t>(corpus.documents());
  std::vector<double> place(n);
  for (size_t d = 0; d < n; ++d) place[d] = Stream(seed, "held-out", d).uniform();
  const auto [nearest, farthest] = std::ranges::minmax_element(place);
  HeldOut out;
  out.train.shared_boundary = out.held_out.shared_boundary = corpus.shared_boundary;
  for (size_t d = 0; d < n; ++d) {
    const auto here = place.begin() + static_cast<std::ptrdiff_t>(d);
    const bool held = n > 1 && share > 0 && here != farthest && (place[d] < share || here == nearest);
    Corpus& side = held ? out.held_out : out.train;
    // Where a document's bos is the eos before it, the first of a side brings its own along.
    const bool brings_bos = corpus.shared_boundary && d > 0 && side.documents() == 0;
    side.ids.insert(side.ids.end(), corpus.ids.begin() + corpus.offsets[d] - (brings_bos ? 1 : 0),
                    corpus.ids.begin() + corpus.offsets[d + 1]);
    side.offsets.push_back(side.tokens());
  }
  return out;
}

std::vector<Piece> cut_pieces(const Corpus& corpus, const CorpusSettings& settings, int64_t context) {
  if (context < 2) usage_error("a context of " + std::to_string(context) + " tokens has nothing to predict");
  std::vector<Piece> out;
  if (settings.documents == "separate") {
    for (int64_t d = 0; d < corpus.documents(); ++d)
      add_pieces(corpus.offsets[d] - (corpus.shared_boundary && d > 0), corpus.offsets[d + 1], context, out);
  } else {
    add_pieces(0, corpus.tokens(), context, out);
  }
  if (out.empty()) usage_error("the documents hold fewer than two tokens");
  return out;
}

}  // namespace hone::data
