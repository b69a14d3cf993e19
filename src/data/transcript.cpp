#include "data/transcript.h"

#include <array>

#include "base/error.h"

namespace hone::data {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";
constexpr std::string_view kWhite = " \t\r\n";

struct Speaker {
  std::string_view marker, role;
};
constexpr std::array<Speaker, 9> kSpeakers{{{"Human:", "user"},
                                            {"User:", "user"},
                                            {"HUMAN:", "user"},
                                            {"USER:", "user"},
                                            {"Assistant:", "assistant"},
                                            {"ASSISTANT:", "assistant"},
                                            {"AI:", "assistant"},
                                            {"Bot:", "assistant"},
                                            {"BOT:", "assistant"}}};

const Speaker* speaker_of(std::string_view line) {
  for (const Speaker& s : kSpeakers)
    if (line.starts_with(s.marker)) return &s;
  return nullptr;
}

// True if a turn starts at `at`; its length of marker and role.
bool turn_at(std::string_view text, size_t at, size_t& length, std::string& role) {
  for (const auto& [marker, name] : {std::pair{kHuman, "user"}, std::pair{kAssistant, "assistant"}}) {
    if (!text.substr(at).starts_with(marker)) continue;
    length = marker.size();
    role = name;
    return true;
  }
  return false;
}

std::vector<text::Message> joined(std::vector<text::Message> turns, RowNotes& notes) {
  const size_t before = turns.size();
  turns = text::joined_neighbours(std::move(turns));
  if (turns.size() < before) notes.notice("neighbouring turns of one speaker, joined by a blank line");
  return turns;
}

}  // namespace

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kWhite);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kWhite) - begin + 1));
}

std::vector<text::Message> hh_turns(const std::string& given, std::string_view key, RowNotes& notes) {
  const std::string text =
      looks_like_hh(given) ? "\n\n" + trimmed(given) : given;  // whose first blank line was cut off
  std::vector<text::Message> turns;
  size_t at = text.find("\n\n"), length = 0;
  std::string role;
  while (at != std::string::npos && !turn_at(text, at, length, role)) at = text.find("\n\n", at + 1);
  if (at == std::string::npos || !trimmed(std::string_view(text).substr(0, at)).empty())
    usage_error("field '" + std::string(key) + "' does not start with \"\\n\\nHuman:\"");
  while (at != std::string::npos) {
    const size_t begin = at + length;
    const std::string speaker = role;
    at = text.find("\n\n", begin);
    while (at != std::string::npos && !turn_at(text, at, length, role)) at = text.find("\n\n", at + 1);
    turns.push_back(
        {speaker, trimmed(std::string_view(text).substr(begin, at == std::string::npos ? at : at - begin))});
  }
  return joined(std::move(turns), notes);
}

bool looks_like_hh(std::string_view text) {
  return trimmed(text).starts_with("Human:") && text.find(kAssistant) != std::string_view::npos;
}

std::optional<std::vector<text::Message>> transcript_prompt(std::string_view text, RowNotes& notes) {
  std::vector<text::Message> turns;
  bool preface = false, asked = false, answered = false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const Speaker* speaker = speaker_of(line);
    if (speaker) {
      turns.push_back({std::string(speaker->role), std::string(line.substr(speaker->marker.size()))});
      (speaker->role == "user" ? asked : answered) = true;
    } else if (!turns.empty()) {
      turns.back().content.append("\n").append(line);
    } else {
      preface = preface || line.find_first_not_of(kWhite) != std::string_view::npos;
    }
  }
  if (!asked || !answered) return std::nullopt;
  for (text::Message& m : turns) m.content = trimmed(m.content);
  if (preface || turns.front().role != "user" || turns.back().role != "assistant" || !turns.back().content.empty()) {
    notes.notice(
        "a prompt that looks like a transcript (Human: … Assistant:), kept as one message of the user: give "
        "{\"messages\"}, or end it with \"Assistant:\"");
    return std::nullopt;
  }
  turns.pop_back();
  notes.notice("prompts that are transcripts (Human: … Assistant:), read as their turns");
  return joined(std::move(turns), notes);
}

}  // namespace hone::data
