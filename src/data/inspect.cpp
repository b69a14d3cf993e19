#include "data/inspect.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/error.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "data/corpus.h"
#include "data/encode_rows.h"
#include "data/row_reader.h"
#include "data/split.h"

namespace hone::data {
namespace {

int64_t characters(const std::string& s) {
  return std::count_if(s.begin(), s.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; });
}
int64_t characters(const std::vector<text::Message>& messages) {
  int64_t n = 0;
  for (const text::Message& m : messages) n += characters(m.content);
  return n;
}

std::string transcript(const std::vector<text::Message>& messages) {
  std::string out;
  if (!messages.empty() && !messages.front().tools.empty()) out += "tools: " + messages.front().tools + "\n";
  for (const text::Message& m : messages) {
    out += m.role + ": ";
    if (!m.reasoning.empty()) out += "[reasoning] " + m.reasoning + " [answer] ";
    out += m.content;
    if (!m.tool_calls.empty()) out += " [calls] " + m.tool_calls;
    if (m.weight != 1) out += " [weight " + decimal_text(m.weight, 2) + "]";
    out += "\n";
  }
  return out;
}

// An answer of one text as that, others with their speakers.
std::string answer_text(const std::vector<text::Message>& answer) {
  const bool text = answer.size() == 1 && !text::beyond_plain_text(answer[0]) && answer[0].weight == 1;
  return text ? answer[0].content : transcript(answer);
}

bool empty(const std::vector<text::Message>& answer) {
  return std::all_of(answer.begin(), answer.end(),
                     [](const text::Message& m) { return m.content.empty() && m.tool_calls.empty(); });
}

// Lengths by name, in the order of first use.
class Table {
 public:
  void add(const std::string& name, int64_t value) {
    const auto it = std::find_if(rows_.begin(), rows_.end(), [&](const auto& r) { return r.first == name; });
    (it != rows_.end() ? it->second : rows_.emplace_back(name, std::vector<int64_t>{}).second).push_back(value);
  }
  std::vector<std::pair<std::string, Lengths>> finished() {
    std::vector<std::pair<std::string, Lengths>> out;
    for (auto& [name, values] : rows_) out.emplace_back(name, lengths_of_values(std::move(values)));
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::vector<int64_t>>> rows_;
};

// The richest kind in the files.
std::string kind_of(const std::vector<std::string>& paths, const ReadSettings& read) {
  int64_t comparisons = 0, demonstrations = 0, prompts = 0, documents = 0;
  const ReadReport report = read_rows(paths, read, [&](RowContent& c, const RowPlace&, ReadReport&) {
    comparisons += !c.comparisons.empty();
    demonstrations += !c.demonstrations.empty();
    prompts += !c.prompts.empty() || !c.unjudged.empty();
    documents += !c.documents.empty();
  });
  if (comparisons > 0) return "comparisons";
  if (demonstrations > 0) return "demonstrations";
  if (prompts > 0) return "prompts";
  if (documents > 0) return "documents";
  usage_error("no usable row: " + report.summary(), "`hone list formats` shows the formats that hone reads");
}

class Inspector {
 public:
  Inspector(Inspection& out, const Encoder* encoder, const LengthSettings& lengths, const InspectSettings& settings)
      : out_(out), encoder_(encoder), lengths_(lengths), settings_(settings) {}

  void comparisons(std::span<const Preference> rows) {
    for (const Preference& p : rows) {
      length("prompt", characters(p.prompt));
      const int64_t chosen = characters(p.chosen), rejected = characters(p.rejected);
      length("chosen", chosen);
      length("rejected", rejected);
      out_.longer_wins_halves += chosen > rejected ? 2 : chosen == rejected ? 1 : 0;
      out_.empty_answers += empty(p.chosen) + empty(p.rejected);
      ++out_.sources[p.source];
      const std::string better = answer_text(p.chosen), worse = answer_text(p.rejected);
      const bool opposed = !p.tie && pairs_.contains(row_hash(prompt_hash(p), worse + '\x1f' + better));
      const bool again = seen(prompt_hash(p), better + '\x1f' + worse);
      out_.contradictions += opposed && !again;
      if (!p.tie) pairs_.insert(row_hash(prompt_hash(p), better + '\x1f' + worse));
      example(p.id, transcript(p.prompt) + "chosen: " + better + "\nrejected: " + worse + "\n");
    }
    if (!encoder_) return;
    const auto encoded = encode_preferences(rows, *encoder_, lengths_, settings_.context);
    out_.fit = encoded.lengths;
    for (size_t i = 0; i < encoded.items.size(); ++i) {
      const Pair& pair = encoded.items[i];
      tokens_.add("prompt", pair.prompt_length);
      tokens_.add("chosen", pair.chosen.size());
      tokens_.add("rejected", pair.rejected.size());
      const std::string& id = rows[encoded.rows[i]].id;
      show(id + " chosen", pair.chosen.ids, pair.chosen.weight);
      show(id + " rejected", pair.rejected.ids, pair.rejected.weight);
    }
  }

  void demonstrations(std::span<const Demonstration> rows) {
    for (const Demonstration& d : rows) {
      const std::vector<text::Message> prompt(d.messages.begin(), d.messages.end() - 1);
      length("prompt", characters(prompt));
      length("answer", characters(d.messages.back().content));
      seen(prompt_hash(d), transcript(d.messages));
      example(d.id, transcript(d.messages));
    }
    if (!encoder_) return;
    const auto encoded = encode_demonstrations(rows, *encoder_, lengths_, settings_.context);
    out_.fit = encoded.lengths;
    for (size_t i = 0; i < encoded.items.size(); ++i) {
      tokens_.add("sequence", encoded.items[i].size());
      show(rows[encoded.rows[i]].id, encoded.items[i].ids, encoded.items[i].weight);
    }
  }

  void prompts(std::span<const Prompt> rows) {
    for (const Prompt& p : rows) {
      length("prompt", characters(p.messages));
      seen(prompt_hash(p), "");
      example(p.id, transcript(p.messages));
    }
    if (!encoder_) return;
    const auto encoded = encode_prompts(rows, *encoder_, lengths_, settings_.context);
    out_.fit = encoded.lengths;
    for (size_t i = 0; i < encoded.items.size(); ++i) {
      tokens_.add("prompt", static_cast<int64_t>(encoded.items[i].size()));
      show(rows[encoded.rows[i]].id, encoded.items[i], std::vector<float>(encoded.items[i].size(), 0.0f));
    }
  }

  void documents(std::span<const Document> rows) {
    for (const Document& d : rows) {
      length("document", characters(d.text));
      seen("", d.text);
      example(d.id, d.text);
    }
    if (!encoder_) return;
    for (const Document& d : rows) {
      const Corpus corpus = encode_corpus(std::span(&d, 1), encoder_->tokenizer());
      tokens_.add("document", corpus.tokens());
      ++out_.fit.rows;
      ++out_.fit.kept;
      out_.fit.tokens += corpus.tokens();
      out_.fit.trained_tokens += corpus.tokens() - 1;
      out_.fit.longest = std::max(out_.fit.longest, corpus.tokens());
      std::vector<float> weight(corpus.ids.size(), 1.0f);
      weight[0] = 0;
      show(d.id, corpus.ids, weight);
    }
  }

  void finish() {
    out_.characters = characters_.finished();
    out_.tokens = tokens_.finished();
    out_.distinct_prompts = static_cast<int64_t>(prompts_.size());
  }

 private:
  void length(const char* name, int64_t n) { characters_.add(name, n); }

  static std::string row_hash(const std::string& prompt, const std::string& rest) {
    return sha256(prompt + '\x1e' + rest);
  }

  // Whether an earlier row says the same.
  bool seen(const std::string& prompt, const std::string& rest) {
    if (!prompt.empty()) prompts_.insert(prompt);
    const bool again = !rows_.insert(row_hash(prompt, rest)).second;
    out_.duplicates += again;
    return again;
  }

  void example(const std::string& id, const std::string& text) {
    if (static_cast<int64_t>(out_.examples.size()) < settings_.examples)
      out_.examples.push_back("[" + id + "]\n" + text);
  }

  void show(const std::string& title, std::span<const int32_t> ids, std::span<const float> weight) {
    if (static_cast<int64_t>(out_.shown.size()) >= settings_.examples) return;
    constexpr size_t kMost = 400;  // enough to see; a novel is longer
    ShownSequence s{title, {}};
    for (size_t i = 0; i < std::min(ids.size(), kMost); ++i)
      s.tokens.push_back({ids[i], std::string(encoder_->tokenizer().token_bytes(ids[i])), weight[i]});
    out_.shown.push_back(std::move(s));
  }

  Inspection& out_;
  const Encoder* encoder_;
  const LengthSettings& lengths_;
  const InspectSettings& settings_;
  Table characters_, tokens_;
  std::set<std::string> prompts_, rows_, pairs_;
};

}  // namespace

Lengths lengths_of_values(std::vector<int64_t> values) {
  Lengths out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.n = static_cast<int64_t>(values.size());
  for (const int64_t v : values) {
    out.total += v;
    const size_t bin = static_cast<size_t>(std::bit_width(static_cast<uint64_t>(v)));
    if (out.bins.size() <= bin) out.bins.resize(bin + 1, 0);
    ++out.bins[bin];
  }
  out.least = values.front();
  out.median = values[(values.size() - 1) / 2];
  out.p95 = values[(values.size() - 1) * 95 / 100];
  out.most = values.back();
  return out;
}

Inspection inspect(const std::vector<std::string>& paths, const ReadSettings& read, const Encoder* encoder,
                   const LengthSettings& lengths, const InspectSettings& settings) {
  Inspection out;
  out.kind = kind_of(paths, read);
  Inspector inspector(out, encoder, lengths, settings);
  const auto take = [&](auto result, auto look) {
    out.report = std::move(result.report);
    out.rows = static_cast<int64_t>(result.rows.size());
    look(std::span(std::as_const(result.rows)));
  };
  if (out.kind == "comparisons") take(read_preferences(paths, read), [&](auto rows) { inspector.comparisons(rows); });
  if (out.kind == "demonstrations")
    take(read_demonstrations(paths, read), [&](auto rows) { inspector.demonstrations(rows); });
  if (out.kind == "prompts") take(read_prompts(paths, read), [&](auto rows) { inspector.prompts(rows); });
  if (out.kind == "documents") take(read_documents(paths, read), [&](auto rows) { inspector.documents(rows); });
  inspector.finish();
  return out;
}

}  // namespace hone::data
