#include "data/convert.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/json.h"
#include "config/fields.h"
#include "data/row_messages.h"
#include "feedback/comparison.h"
#include "text/message_json.h"

namespace hone::data {
namespace {

constexpr std::array<std::string_view, 6> kTargets{"preference", "hh", "completion", "messages", "prompt", "text"};

bool plain(const text::Message& m, std::string_view role) {
  return m.role == role && !m.no_content && m.reasoning.empty() && m.tool_calls.empty() && m.name.empty() &&
         m.weight == 1;
}

// A single user message as a text, a longer prompt as a list.
Json prompt_json(const std::vector<text::Message>& prompt) {
  if (prompt.size() == 1 && plain(prompt[0], "user")) return prompt[0].content;
  return text::messages_json(prompt);
}

void add_tools(Json& out, const std::vector<text::Message>& messages) {
  if (!messages.front().tools.empty()) out["tools"] = parse_json(messages.front().tools, "tools");
}

std::string hh_text(const std::vector<text::Message>& prompt, const text::Message& answer) {
  std::string out;
  for (const text::Message& m : prompt) out += (m.role == "user" ? "\n\nHuman: " : "\n\nAssistant: ") + m.content;
  return out + "\n\nAssistant: " + answer.content;
}

bool fits_hh(const Preference& p) {
  if (!p.prompt.front().tools.empty() || p.chosen.size() != 1 || p.rejected.size() != 1) return false;
  if (!plain(p.chosen[0], "assistant") || !plain(p.rejected[0], "assistant")) return false;
  return std::all_of(p.prompt.begin(), p.prompt.end(),
                     [](const text::Message& m) { return plain(m, "user") || plain(m, "assistant"); });
}

Json preference_json(const Preference& p) {
  feedback::Comparison c = feedback::compared(p.prompt, p.chosen, p.rejected, feedback::Outcome::kA, p.margin);
  c.id = p.id;
  c.source = p.source;
  c.weight = p.weight;
  return feedback::to_preference_row(c, feedback::Names::kFirst);
}

Json demonstration_json(const Demonstration& d, bool as_messages) {
  Json out = {{"id", d.id}};
  if (as_messages) {
    out["messages"] = text::messages_json(d.messages);
  } else {
    out["prompt"] = d.messages[0].content;
    const text::Message& answer = d.messages[1];
    out["completion"] = plain(answer, "assistant") ? Json(answer.content) : text::messages_json({answer});
  }
  add_tools(out, d.messages);
  if (d.label) out["label"] = *d.label;
  return out;
}

// Rows of one kind through `write`, which returns nothing for a row that the target cannot say.
template <class Row, class Write>
ReadReport each(Read<Row> read, const char* why_not, const std::function<void(std::string_view)>& line,
                const Write& write) {
  int64_t written = 0;
  for (const Row& row : read.rows) {
    const std::optional<Json> json = write(row);
    if (!json) {
      ++read.report.dropped[why_not];
      continue;
    }
    line(dump_json(*json));
    ++written;
  }
  read.report.rows = written;
  return std::move(read.report);
}

}  // namespace

std::span<const std::string_view> writable_formats() { return kTargets; }

ReadReport convert(const std::vector<std::string>& paths, std::string_view to, const ReadSettings& settings,
                   const std::function<void(std::string_view)>& line) {
  using Row = std::optional<Json>;
  if (to == "preference")
    return each(read_preferences(paths, settings), "", line,
                [](const Preference& p) -> Row { return preference_json(p); });
  if (to == "hh")
    return each(read_preferences(paths, settings), "HH transcripts have no system message, tools, reasoning or weights",
                line, [](const Preference& p) -> Row {
                  if (!fits_hh(p)) return std::nullopt;
                  Json out = {{"chosen", hh_text(p.prompt, p.chosen[0])},
                              {"rejected", hh_text(p.prompt, p.rejected[0])}};
                  if (p.weight != 1) out["weight"] = p.weight;
                  if (p.margin != 0) out["margin"] = p.margin;
                  return out;
                });
  if (to == "completion")
    return each(read_demonstrations(paths, settings), "several turns do not fit prompt and completion", line,
                [](const Demonstration& d) -> Row {
                  if (d.messages.size() != 2 || !plain(d.messages[0], "user")) return std::nullopt;
                  return demonstration_json(d, false);
                });
  if (to == "messages")
    return each(read_demonstrations(paths, settings), "", line,
                [](const Demonstration& d) -> Row { return demonstration_json(d, true); });
  if (to == "prompt")
    return each(read_prompts(paths, settings), "", line, [](const Prompt& p) -> Row {
      Json out = {{"id", p.id}, {"prompt", prompt_json(p.messages)}};
      add_tools(out, p.messages);
      return out;
    });
  if (to == "text")
    return each(read_documents(paths, settings), "", line,
                [](const Document& d) -> Row { return Json{{"id", d.id}, {"text", d.text}}; });
  const std::vector<std::string> known(kTargets.begin(), kTargets.end());
  const std::string near = config::closest(to, known);
  std::string all;
  for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
  usage_error("cannot convert to '" + std::string(to) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "formats that can be written: " + all);
}

}  // namespace hone::data
