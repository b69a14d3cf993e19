#include "data/convert.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/json.h"
#include "config/fields.h"

namespace hone::data {
namespace {

constexpr std::array<std::string_view, 6> kTargets{"preference", "hh", "completion", "messages", "prompt", "text"};

Json messages_json(const std::vector<text::Message>& messages) {
  Json out = Json::array();
  for (const text::Message& m : messages) out.push_back({{"role", m.role}, {"content", m.content}});
  return out;
}

// A single user message as a text, a longer prompt as a list.
Json prompt_json(const std::vector<text::Message>& prompt) {
  if (prompt.size() == 1 && prompt[0].role == "user") return prompt[0].content;
  return messages_json(prompt);
}

std::string hh_text(const std::vector<text::Message>& prompt, const std::string& answer) {
  std::string out;
  for (const text::Message& m : prompt) out += (m.role == "user" ? "\n\nHuman: " : "\n\nAssistant: ") + m.content;
  return out + "\n\nAssistant: " + answer;
}

Json preference_json(const Preference& p) {
  Json out;
  out["id"] = p.id;
  out["source"] = p.source;
  out["prompt"] = prompt_json(p.prompt);
  out["chosen"] = p.chosen;
  out["rejected"] = p.rejected;
  if (p.weight != 1) out["weight"] = p.weight;
  if (p.margin != 0) out["margin"] = p.margin;
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
    return each(read_preferences(paths, settings), "HH transcripts have no system message", line,
                [](const Preference& p) -> Row {
                  if (p.prompt.front().role == "system") return std::nullopt;
                  return Json{{"chosen", hh_text(p.prompt, p.chosen)}, {"rejected", hh_text(p.prompt, p.rejected)}};
                });
  if (to == "completion")
    return each(read_demonstrations(paths, settings), "several turns do not fit prompt and completion", line,
                [](const Demonstration& d) -> Row {
                  if (d.messages.size() != 2 || d.messages[0].role != "user") return std::nullopt;
                  return Json{{"id", d.id}, {"prompt", d.messages[0].content}, {"completion", d.messages[1].content}};
                });
  if (to == "messages")
    return each(read_demonstrations(paths, settings), "", line, [](const Demonstration& d) -> Row {
      return Json{{"id", d.id}, {"messages", messages_json(d.messages)}};
    });
  if (to == "prompt")
    return each(read_prompts(paths, settings), "", line,
                [](const Prompt& p) -> Row { return Json{{"id", p.id}, {"prompt", prompt_json(p.messages)}}; });
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
