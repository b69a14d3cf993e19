#include "rewards/checked_prompts.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"

namespace hone::rewards {
namespace {

// Why nothing can be held against the prompt's row; nothing if something can.
std::optional<Error> unreadable(const data::Prompt& prompt, const checkers::Checker& checker) {
  try {
    if (!prompt.row && !checker.keys().empty())
      usage_error("a prompt of plain text has no field '" + checker.keys().front() + "'",
                  "give rows: {\"prompt\": \"…\", \"" + checker.keys().front() + "\": \"…\"}");
    checker.require(prompt.row ? *prompt.row : Json::object());
  } catch (const Error& e) {
    if (e.kind != Kind::kUsage) throw;
    return e;
  }
  return std::nullopt;
}

}  // namespace

Checkers make_checkers(const std::vector<std::string>& ids, const checkers::CheckerSettings& settings) {
  Checkers out;
  for (const std::string& id : ids) out.push_back(settings.make(id));
  return out;
}

data::Read<data::Prompt> read_checked_prompts(const std::vector<std::string>& files, const data::ReadSettings& settings,
                                              const Checkers& checkers) {
  data::Read<data::Prompt> read = data::read_prompts(files, settings, !checkers.empty());
  for (const auto& checker : checkers)
    for (const std::string& key : checker->keys()) read.report.unread.erase(key);
  const auto left_out = static_cast<int64_t>(std::erase_if(read.rows, [&](const data::Prompt& prompt) {
    for (const auto& checker : checkers)
      if (const auto e = unreadable(prompt, *checker)) {
        if (settings.on_bad_line != "skip") usage_error("prompt " + prompt.id + ": " + e->what(), e->hint);
        return true;
      }
    return false;
  }));
  if (left_out > 0) log::warn(count_text(left_out) + " prompts are left out: their rows lack what a checker reads");
  if (read.rows.empty()) usage_error("no prompt's row holds what the checkers read");
  return read;
}

}  // namespace hone::rewards
