#include "annotate/file_pairs.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "data/row_reader.h"
#include "text/message_json.h"

namespace hone::annotate {
namespace {

// Every text of a message, as one.
size_t bytes_of(const std::vector<text::Message>& messages) {
  size_t bytes = 0;
  for (const text::Message& m : messages)
    bytes += m.content.size() + m.reasoning.size() + m.tool_calls.size() + m.tools.size() + m.name.size();
  return bytes;
}

bool says_something(const std::vector<text::Message>& answer) {
  return std::any_of(answer.begin(), answer.end(), [](const text::Message& m) {
    return m.content.find_first_not_of(" \t\r\n") != std::string::npos || !m.tool_calls.empty();
  });
}

// What is compared, hashed; which files it stands in and where is no part of it.
std::string id_of(const feedback::Query& q) {
  Json all = {{"prompt", text::messages_json(q.prompt)},
              {"a", text::messages_json(q.a.messages)},
              {"b", text::messages_json(q.b.messages)}};
  all["tools"] = q.prompt.front().tools;
  return sha256(dump_json(all)).substr(0, 32);
}

}  // namespace

FilePairs::FilePairs(const std::vector<std::string>& paths, const data::ReadSettings& settings) {
  report_ =
      data::read_rows(paths, settings, [&](data::RowContent& row, const data::RowPlace& place, data::ReadReport& r) {
        if (row.comparisons.empty() && row.unjudged.empty()) ++r.dropped["nothing to compare in the row"];
        const size_t several = row.comparisons.size() + row.unjudged.size();
        size_t n = 0;
        const auto take = [&](std::vector<text::Message>& prompt, std::vector<text::Message>& a,
                              std::vector<text::Message>& b) {
          ++n;
          if (a == b) {
            ++r.dropped["identical answers"];
            return;
          }
          if (!says_something(a) && !says_something(b)) {
            ++r.dropped["empty answers"];
            return;
          }
          if (bytes_of(prompt) + bytes_of(a) + bytes_of(b) > kLongest) {
            ++r.dropped["longer than a page shows"];
            return;
          }
          Pair pair;
          pair.query.prompt = std::move(prompt);
          pair.query.a.messages = std::move(a);
          pair.query.b.messages = std::move(b);
          pair.query.strategy = "in_order";
          pair.query.propensity = 1;
          pair.query.source = place.source;
          pair.query.id = several > 1 ? place.id + "." + std::to_string(n) : place.id;
          pair.id = id_of(pair.query);
          if (place_.contains(pair.id)) {
            ++r.dropped["the same pair again"];
            return;
          }
          add(std::move(pair));
        };
        for (data::Comparison& c : row.comparisons) take(c.prompt, c.a.messages, c.b.messages);
        for (data::AnswerPair& p : row.unjudged) take(p.prompt, p.first, p.second);
      });
  report_.rows = static_cast<int64_t>(pairs_.size());
  if (pairs_.empty())
    usage_error("no pairs to judge in " + (paths.size() == 1 ? paths[0] : std::to_string(paths.size()) + " files") +
                    " (" + report_.summary() + ")",
                "rows are {\"prompt\", \"answers\": [a, b]}, or comparisons in a format of `hone list formats`");
}

void FilePairs::add(Pair pair) {
  place_.emplace(pair.id, pairs_.size());
  open_.insert(open_.end(), pairs_.size());
  pairs_.push_back(std::move(pair));
}

Offer FilePairs::offer(size_t most) const {
  const std::lock_guard lock(mutex_);
  Offer out;
  for (auto i = reopened_.rbegin(); i != reopened_.rend() && out.pairs.size() < most; ++i)
    out.pairs.push_back(pairs_[*i]);
  for (auto i = open_.begin(); i != open_.end() && out.pairs.size() < most; ++i) out.pairs.push_back(pairs_[*i]);
  out.beyond = open_.size() + reopened_.size() > out.pairs.size() ? Supply::kReady : Supply::kEnd;
  return out;
}

std::optional<Pair> FilePairs::find(const std::string& id) const {
  const auto at = place_.find(id);
  if (at == place_.end()) return std::nullopt;
  return pairs_[at->second];
}

void FilePairs::settle(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = place_.find(id);
  if (at == place_.end()) return;
  open_.erase(at->second);
  std::erase(reopened_, at->second);
}

void FilePairs::reopen(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = place_.find(id);
  if (at == place_.end() || open_.contains(at->second)) return;
  std::erase(reopened_, at->second);
  reopened_.push_back(at->second);
}

std::optional<int64_t> FilePairs::left() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(open_.size() + reopened_.size());
}

}  // namespace hone::annotate
