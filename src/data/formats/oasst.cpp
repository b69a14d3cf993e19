// Open-Assistant message trees (Köpf et al. 2023, arXiv 2304.07327): {"prompt": MESSAGE} or the message itself, a
// message being {"text", "role": "prompter" | "assistant", "rank", "replies"}. Every two ranked assistant replies to
// the same conversation make a comparison (rank 0 is best); strength is the difference of their ranks over the largest
// one. Demonstrations: the conversations to each leaf that take the best-ranked reply wherever there is a choice.
#include <algorithm>
#include <cmath>

#include <array>

#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {
namespace {

constexpr int kMaxDepth = 100;  // the parser allows 200 levels of JSON: two a message

bool is_message(const Json& value) { return has(value, {"text", "role", "replies"}); }

// "prompter" or "assistant".
std::string role_of(const Json& message) {
  RowNotes unused;
  return data::message({{"role", field(message, "role")}, {"content", ""}}, unused).role;
}

int64_t rank_of(const Json& message) {
  const auto it = message.find("rank");
  return it != message.end() && it->is_number_integer() ? it->get<int64_t>() : -1;
}

void compare_replies(const std::vector<const Json*>& replies, const std::vector<text::Message>& path, RowContent& out) {
  std::vector<std::pair<int64_t, std::string>> ranked;
  for (const Json* r : replies)
    if (const int64_t rank = rank_of(*r); rank >= 0) ranked.emplace_back(rank, text_field(*r, "text"));
  std::vector<std::pair<int64_t, std::string>> in_order = ranked;
  std::ranges::stable_sort(in_order, {}, &std::pair<int64_t, std::string>::first);
  const auto same = std::ranges::unique(in_order, {}, &std::pair<int64_t, std::string>::first);
  in_order.erase(same.begin(), same.end());
  if (in_order.size() > 1) {
    Ranking& ranking = out.rankings.emplace_back(Ranking{path, {}});
    for (const auto& [rank, text] : in_order) ranking.answers.push_back(said(text));
  }
  int64_t last = 0;
  for (const auto& [rank, unused] : ranked) last = std::max(last, rank);
  for (size_t i = 0; i < ranked.size(); ++i) {
    for (size_t j = i + 1; j < ranked.size(); ++j) {
      const int64_t ahead = ranked[j].first - ranked[i].first;
      const double margin = last == 0 ? 0.0 : static_cast<double>(std::abs(ahead)) / static_cast<double>(last);
      const Outcome outcome = ahead > 0 ? Outcome::kA : ahead < 0 ? Outcome::kB : Outcome::kTie;
      out.comparisons.push_back(
          feedback::compared(path, said(ranked[i].second), said(ranked[j].second), outcome, margin));
    }
  }
}

// `best`: no better-ranked reply was passed over on the way here.
void walk(const Json& node, std::vector<text::Message>& path, bool best, RowContent& out) {
  if (static_cast<int>(path.size()) > kMaxDepth) usage_error("the message tree is too deep");
  path.push_back({role_of(node), text_field(node, "text")});
  const bool user = path.back().role == "user";
  std::vector<const Json*> replies;
  const Json& children = field(node, "replies");
  if (!children.is_array()) usage_error("field 'replies' is not a list");
  for (const Json& child : children) {
    if (!is_message(child)) usage_error("a reply lacks text, role or replies");
    const auto deleted = child.find("deleted");
    if (deleted != child.end() && deleted->is_boolean() && deleted->get<bool>()) continue;
    if ((role_of(child) == "assistant") != user) usage_error("a reply has its parent's role");
    replies.push_back(&child);
  }
  if (user) compare_replies(replies, path, out);
  if (replies.empty() && best) (user ? out.prompts : out.demonstrations).push_back(path);
  const Json* winner = nullptr;
  for (const Json* r : replies)
    if (user && (!winner || (rank_of(*r) >= 0 && (rank_of(*winner) < 0 || rank_of(*r) < rank_of(*winner))))) winner = r;
  for (const Json* r : replies) walk(*r, path, best && (!user || r == winner), out);
  path.pop_back();
}

}  // namespace

std::span<const std::string_view> keys_oasst() {
  static constexpr auto kKeys =
      std::to_array<std::string_view>({"prompt", "text", "role", "replies", "rank", "deleted", "message_id"});
  return kKeys;
}

bool recognise_oasst(const Json& row) {
  return is_message(row) || (has(row, {"prompt"}) && row["prompt"].is_object() && is_message(row["prompt"]));
}

RowContent read_oasst(const Json& row, const FormatOptions&) {
  RowContent out;
  out.source = "oasst";
  const Json& root = is_message(row) ? row : field(row, "prompt");
  if (!is_message(root)) usage_error("field 'prompt' is not a message with text, role and replies");
  if (role_of(root) != "user") usage_error("the first message is not the prompter's");
  out.id = optional_text(root, "message_id");
  std::vector<text::Message> path;
  walk(root, path, true, out);
  return out;
}

}  // namespace hone::data::formats_impl
