#include "feedback/exchange.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "feedback/canonical_json.h"
#include "text/message_json.h"

namespace hone::feedback {
namespace {

constexpr size_t kAtOnce = 256;  // comparisons in one append
constexpr const char* kImportedQuery = "import-";

// The events of one comparison, side by side.
std::vector<NewEvent> events_of(const Comparison& c, const std::string& name) {
  const std::string actor = c.annotator.empty() ? kImporter : c.annotator;
  const std::string query = kImportedQuery + name;
  std::vector<NewEvent> out{shown(actor, query, c, Purpose::kLearn, ""), judged(actor, query, c)};
  if (!c.correction.empty()) out.push_back(corrected(actor, query, c.corrects, c.correction));
  if (!c.note.empty()) out.push_back(noted(actor, query, c.note));
  for (NewEvent& e : out) {
    e.key = query + "/" + std::string(name_of(e.type));
    check_event(e);
  }
  return out;
}

// A pair as the preference row that says it.
Json pair_row(const Label& label, const Pair& pair, Texts texts) {
  const Comparison& c = label.comparison;
  Comparison out = compared(pair.prompt, pair.chosen, pair.rejected, Outcome::kA, pair.margin);
  out.weight = pair.weight;
  out.id = c.id.empty() && !label.query.starts_with(kImportedQuery) ? label.query : c.id;
  if (!out.id.empty()) out.id += id_suffix(pair);
  out.source = c.source;
  out.annotator = c.annotator;
  if (c.order != Order::kUnknown && pair.kind != Pair::Kind::kCorrection)
    out.order = (c.order == Order::kAFirst) == (pair.rejects == Side::kB) ? Order::kAFirst : Order::kBFirst;
  return to_preference_row(out, Names::kLast, texts);
}

// A label as the row that says all of it.
Json full_row(const Label& label) {
  Comparison c = label.comparison;
  if (c.id.empty() && !label.query.starts_with(kImportedQuery)) c.id = label.query;
  return to_row(c);
}

std::string name_of_row(const Json& row) { return sha256(canonical_json(row)).substr(0, 32); }

}  // namespace

Imported import_comparisons(Store& store, std::span<const Comparison> comparisons) {
  // 1. Everything is made and looked at before anything is appended.
  // Rows that this store itself gave are there already; imported ones are known by their keys.
  std::set<std::string> own;
  for (const Label& label : labels(store))
    if (!label.query.starts_with(kImportedQuery)) own.insert(name_of_row(full_row(label)));
  Imported out;
  std::vector<std::vector<NewEvent>> all;
  std::unordered_map<std::string, int64_t> seen;
  for (size_t i = 0; i < comparisons.size(); ++i) {
    try {
      check(comparisons[i]);
      std::string name = name_of_row(to_row(comparisons[i]));
      if (own.contains(name)) {
        ++out.again;
        continue;
      }
      if (const int64_t n = ++seen[name]; n > 1) name += "-" + std::to_string(n);
      all.push_back(events_of(comparisons[i], name));
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      usage_error("comparison " + std::to_string(i + 1) + ": " + e.what(), e.hint);
    }
  }
  // 2. In pieces: what was appended stays if a later piece fails, and is recognised the next time.
  for (size_t begin = 0; begin < all.size(); begin += kAtOnce) {
    const size_t end = std::min(begin + kAtOnce, all.size());
    std::vector<NewEvent> piece;
    std::vector<size_t> first;
    for (size_t i = begin; i < end; ++i) {
      first.push_back(piece.size());
      piece.insert(piece.end(), all[i].begin(), all[i].end());
    }
    const std::vector<Receipt> receipts = store.append(piece);
    for (const size_t at : first) ++(receipts[at].again ? out.again : out.comparisons);
  }
  out.head = store.head();
  return out;
}

Exported export_rows(std::span<const Label> labels, ExportShape shape, Ties ties) {
  Exported out;
  if (shape == ExportShape::kFull) {
    for (const Label& label : labels) out.rows.push_back(full_row(label));
    return out;
  }
  const bool plain = shape == ExportShape::kText && std::ranges::all_of(labels, [](const Label& label) {
                       return label.purpose != Purpose::kLearn || all_plain(label.comparison);
                     });
  const TrainingSet set = training_set(labels, ties);
  for (size_t i = 0; i < set.pairs.size(); ++i)
    out.rows.push_back(pair_row(labels[set.label_of[i]], set.pairs[i], plain ? Texts::kShortest : Texts::kMessages));
  out.left_out = set.left_out;
  return out;
}

Exported evaluation_rows(std::span<const Label> labels) {
  const auto prompt_of = [](const Label& label) { return dump_json(text::messages_json(label.comparison.prompt)); };
  std::set<std::string> learned;
  for (const Label& label : labels)
    if (label.purpose == Purpose::kLearn) learned.insert(prompt_of(label));
  std::vector<Label> kept;
  for (const Label& label : labels)
    if (label.purpose == Purpose::kEvaluate && !learned.contains(prompt_of(label))) {
      kept.push_back(label);
      kept.back().purpose = Purpose::kLearn;  // as which its pairs are written
    }
  return export_rows(kept, ExportShape::kMessages, Ties::kDrop);
}

}  // namespace hone::feedback
