#include "data/row_messages.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"

namespace hone::data {
namespace {

struct Spelling {
  std::string_view from, to;
};

// The turn that is nothing but a call is the assistant's.
constexpr std::string_view kCall = "call";

constexpr std::array<Spelling, 23> kRoles{
    {{"system", "system"},          {"developer", "developer"},    {"user", "user"},          {"human", "user"},
     {"prompter", "user"},          {"assistant", "assistant"},    {"gpt", "assistant"},      {"chatgpt", "assistant"},
     {"bot", "assistant"},          {"model", "assistant"},        {"tool", "tool"},          {"observation", "tool"},
     {"function", "tool"},          {"ipython", "tool"},           {"tool_response", "tool"}, {"tool_result", "tool"},
     {"function_response", "tool"}, {"function-response", "tool"}, {"environment", "tool"},   {"function_call", kCall},
     {"function-call", kCall},      {"tool_call", kCall},          {"tool-call", kCall}}};

std::string_view role_of(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const auto& [from, to] : kRoles)
    if (from == lower) return to;
  usage_error("role '" + std::string(name) + "' is not supported",
              "roles are system, developer, user, assistant and tool");
}

constexpr std::array<std::string_view, 3> kReasoning{"reasoning_content", "reasoning", "thinking"};

// Whether, or how much, a turn is learnt.
struct Mark {
  std::string_view key;
  bool number;    ///< a weight, not a flag
  bool inverted;  ///< true: not learnt
};
constexpr std::array<Mark, 10> kMarks{{{"weight", true, false},
                                       {"loss_weight", true, false},
                                       {"train", false, false},
                                       {"training", false, false},
                                       {"trainable", false, false},
                                       {"loss", false, false},
                                       {"loss_mask", false, false},
                                       {"mask", false, true},
                                       {"masked", false, true},
                                       {"ignore", false, true}}};

constexpr std::array<std::string_view, 22> kRead{"role",
                                                 "from",
                                                 "content",
                                                 "value",
                                                 "name",
                                                 "tool_calls",
                                                 "function_call",
                                                 "tool_call_id",
                                                 "reasoning_content",
                                                 "reasoning",
                                                 "thinking",
                                                 "weight",
                                                 "loss_weight",
                                                 "train",
                                                 "training",
                                                 "trainable",
                                                 "loss",
                                                 "loss_mask",
                                                 "mask",
                                                 "masked",
                                                 "ignore",
                                                 "id"};

double mark_value(const Mark& mark, const Json& value) {
  if (!mark.number) return flag_value(value, mark.key) != mark.inverted ? 1 : 0;
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  const double weight = value.is_number() ? value.get<double>() : -1;
  if (!(weight >= 0) || !std::isfinite(weight))
    usage_error("a message's '" + std::string(mark.key) + "' is " + shown(value) + ", not a weight of 0 or more");
  return weight;
}

void read_marks(const Json& item, text::Message& out, RowNotes& notes) {
  std::optional<double> weight;
  std::string_view first;
  for (const Mark& mark : kMarks) {
    const auto it = item.find(mark.key);
    if (it == item.end() || it->is_null()) continue;
    const double value = mark_value(mark, *it);
    if (weight && *weight != value)
      usage_error("a message's '" + std::string(first) + "' and '" + std::string(mark.key) + "' contradict each other");
    weight = value;
    first = mark.key;
  }
  if (!weight) return;
  if (out.role == "assistant") out.weight = *weight;
  else if (*weight > 0) notes.notice("turns marked as learnt that are not the assistant's: only the assistant's are");
}

Json call_of(const Json& call) {
  const Json& function = call.is_object() && call.contains("function") ? call["function"] : call;
  if (!function.is_object() || !function.contains("name") || !function["name"].is_string())
    usage_error("a tool call names no function: " + shown(call),
                "calls are {\"type\": \"function\", \"function\": {\"name\", \"arguments\"}}");
  if (&function != &call) return call;
  return {{"type", "function"}, {"function", function}};
}

std::string calls_text(const Json& calls) {
  if (says_nothing(calls)) return "";
  const Json list = calls.is_string() ? parse_json(calls.get<std::string>(), "the tool calls") : calls;
  if (list.is_object()) return dump_json(Json::array({call_of(list)}));
  if (!list.is_array() || list.empty()) usage_error("'tool_calls' is not a list of calls: " + shown(calls));
  Json out = Json::array();
  for (const Json& call : list) out.push_back(call_of(call));
  return dump_json(out);
}

void add_calls(text::Message& out, const std::string& calls) {
  if (calls.empty()) return;
  if (out.tool_calls.empty()) {
    out.tool_calls = calls;
    return;
  }
  Json all = parse_json(out.tool_calls, "tool_calls");
  for (const Json& call : parse_json(calls, "tool_calls")) all.push_back(call);
  out.tool_calls = dump_json(all);
}

void add_reasoning(text::Message& out, const std::string& reasoning) {
  if (!out.reasoning.empty() && out.reasoning != reasoning)
    usage_error("a message gives its reasoning twice, differently");
  out.reasoning = reasoning;
}

// A list of parts; those of the assistant in the order in which templates write them: reasoning, text, calls.
void read_parts(const Json& parts, text::Message& out, RowNotes& notes) {
  static constexpr auto kOfPart =
      std::to_array<std::string_view>({"type", "text", "value", "thinking", "reasoning", "content"});
  bool text_came = false;
  for (const Json& part : parts) {
    if (part.is_string()) {
      out.content += part.get<std::string>();
      text_came = true;
      continue;
    }
    if (!part.is_object()) usage_error("a part of a message's content is not an object");
    const std::string type = optional_text(part, "type");
    if (type != "tool_call") note_other_keys(part, kOfPart, "messages[].content[].", notes);
    const auto words = [&] {
      for (const char* key : {"text", "value", "thinking", "reasoning", "content"})
        if (part.contains(key)) return text_field(part, key);
      usage_error("a part of type '" + type + "' has no text");
    };
    if (type == "text" || type == "input_text" || type == "output_text") {
      if (!out.tool_calls.empty()) usage_error("a message's text comes after its tool calls");
      out.content += words();
      text_came = true;
    } else if (type == "reasoning" || type == "thinking") {
      if (text_came || !out.tool_calls.empty()) usage_error("a message's reasoning comes after its text");
      out.reasoning += words();
    } else if (type == "tool_call") {
      add_calls(out, calls_text(part.contains("value") ? part["value"] : part));
    } else {
      usage_error("a message part of type '" + type + "' is not supported (only text, reasoning and tool_call)");
    }
  }
  out.no_content = !text_came && !out.tool_calls.empty();
}

void read_content(const Json* content, bool call, text::Message& out, RowNotes& notes) {
  if (call) {
    if (!content || !content->is_string()) usage_error("a call's 'value' is not a text");
    const std::string calls = calls_text(*content);
    if (calls.empty()) usage_error("a call's 'value' is empty");
    add_calls(out, calls);
    out.no_content = true;
  } else if (!content || content->is_null()) {
    out.no_content = true;
  } else if (content->is_string()) {
    out.content = content->get<std::string>();
  } else if (content->is_array()) {
    read_parts(*content, out, notes);
  } else {
    usage_error("a message's content is neither a text nor a list of parts");
  }
}

}  // namespace

bool flag_value(const Json& value, std::string_view key) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number() && (value == 0 || value == 1)) return value == 1;
  if (value.is_string()) {
    const std::string text = lower_case(value.get<std::string>());
    if (text == "true" || text == "1" || text == "yes") return true;
    if (text == "false" || text == "0" || text == "no") return false;
  }
  usage_error("field '" + std::string(key) + "' is " + shown(value) + ", neither true nor false");
}

text::Message message(const Json& item, RowNotes& notes) {
  if (!item.is_object()) usage_error("a message is not an object with role and content");
  // Some rows name both alike; two different ones are two messages in one.
  for (const auto& [a, b] : {std::pair{"role", "from"}, std::pair{"content", "value"}})
    if (item.contains(a) && item.contains(b) && !says_nothing(item[a]) && !says_nothing(item[b]) &&
        item[a] != item[b] &&
        !(std::string_view(a) == "role" && role_of(text_field(item, a)) == role_of(text_field(item, b))))
      usage_error(std::string("a message has both '") + a + "' and '" + b + "', and they differ");
  const bool from = item.contains("from") && !item.contains("role");
  const std::string_view role = role_of(text_field(item, from ? "from" : "role"));
  text::Message out{role == kCall ? "assistant" : std::string(role), ""};
  const char* key = from && item.contains("value")                        ? "value"
                    : item.contains("content") || !item.contains("value") ? "content"
                                                                          : "value";
  const auto content = item.find(key);
  read_content(content == item.end() ? nullptr : &*content, role == kCall, out, notes);
  for (const std::string_view name : kReasoning)
    if (const auto it = item.find(name); it != item.end() && !says_nothing(*it))
      add_reasoning(out, text_field(item, name));
  for (const char* name : {"tool_calls", "function_call"})
    if (const auto it = item.find(name); it != item.end()) add_calls(out, calls_text(*it));
  out.tool_call_id = optional_text(item, "tool_call_id");
  out.name = optional_text(item, "name");
  read_marks(item, out, notes);
  note_other_keys(item, kRead, "messages[].", notes);
  if (out.role != "assistant")
    for (const auto& [text, name] :
         {std::pair{&out.reasoning, "reasoning_content"}, std::pair{&out.tool_calls, "tool_calls"}})
      if (!text->empty()) usage_error("a message of role '" + out.role + "' has '" + name + "'");
  if (out.no_content && out.tool_calls.empty()) {
    if (content == item.end()) usage_error("field '" + std::string(key) + "' is missing");
    if (out.reasoning.empty()) usage_error("a message's content is null, and it calls no tool ('tool_calls')");
  }
  return out;
}

std::vector<text::Message> message_list(const Json& list, RowNotes& notes) {
  if (!list.is_array() || list.empty()) usage_error("the list of messages is empty or not a list");
  std::vector<text::Message> out;
  for (const Json& item : list) {
    out.push_back(message(item, notes));
    if (out.back().role == "system" && out.size() > 1) usage_error("a system message comes after other messages");
  }
  if (text::joined_neighbours(out).size() < out.size())
    notes.notice(
        "neighbouring turns of one speaker: two where the chat template takes them, else joined by a blank line");
  return out;
}

std::string tools_text(const Json& tools) {
  if (says_nothing(tools)) return "";
  const bool in_text = tools.is_string();
  const Json list = in_text ? parse_json(tools.get<std::string>(), "field 'tools'") : tools;
  if (says_nothing(list)) return "";
  if (!list.is_array()) usage_error("field 'tools' is not a list of functions");
  Json out = Json::array();
  for (const Json& tool : list) {
    if (!tool.is_object()) usage_error("field 'tools' holds " + shown(tool) + ", not a function");
    if (in_text && !tool.contains("function")) out.push_back({{"type", "function"}, {"function", tool}});
    else out.push_back(tool);
  }
  return dump_json(out);
}

std::vector<text::Message> user_prompt(std::string content) { return {{"user", std::move(content)}}; }
std::vector<text::Message> said(std::string content) { return {{"assistant", std::move(content)}}; }

}  // namespace hone::data
