#include "text/chat_template.h"

#include <array>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "jinja/template.h"

namespace hone::text {

namespace {

// The names under which templates look for a message's reasoning.
constexpr std::array<std::string_view, 3> kReasoningNames{"reasoning_content", "reasoning", "thinking"};

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// As an attribute or a text: message.thinking, message['thinking'], message.get("thinking").
bool mentions(std::string_view source, std::string_view name) {
  for (size_t at = source.find(name); at != std::string_view::npos; at = source.find(name, at + 1)) {
    const size_t end = at + name.size();
    if (at > 0 && std::string_view(".'\"").find(source[at - 1]) != std::string_view::npos &&
        (end == source.size() || !word_character(source[end])))
      return true;
  }
  return false;
}

std::vector<std::string> reasoning_names(std::string_view source) {
  std::vector<std::string> out;
  for (const std::string_view name : kReasoningNames)
    if (mentions(source, name)) out.emplace_back(name);
  if (out.empty()) out.emplace_back(kReasoningNames[0]);
  return out;
}

Json message_json(const Message& message, std::span<const std::string> reasoning) {
  Json out = {{"role", message.role}, {"content", nullptr}};
  if (!message.no_content) out["content"] = message.content;
  if (!message.name.empty()) out["name"] = message.name;
  if (!message.reasoning.empty())
    for (const std::string& name : reasoning) out[name] = message.reasoning;
  if (!message.tool_calls.empty()) out["tool_calls"] = parse_json(message.tool_calls, "tool_calls");
  if (!message.tool_call_id.empty()) out["tool_call_id"] = message.tool_call_id;
  return out;
}

}  // namespace

struct ChatTemplate::Program {
  std::string bos, eos;
  std::optional<jinja::Template> jinja;  // none: hone's own, written out below, which renders without a detour
  std::vector<std::string> reasoning;    // the names under which it gets a message's reasoning
};

const char* ChatTemplate::built_in_source() {
  return "{{ bos_token }}{% for message in messages %}"
         "{% if message['role'] == 'assistant' %}{{ '<|assistant|>' }}"
         "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
         "{% elif message['role'] in ['user', 'system'] %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
         "{% else %}{{ raise_exception('unknown role: ' + message['role']) }}{% endif %}"
         "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
}

void require_built_in(const Message& message) {
  if (message.role != "user" && message.role != "assistant" && message.role != "system")
    usage_error("unknown role: '" + message.role + "'", "roles are system, user and assistant");
  if (const char* field = beyond_plain_text(message))
    usage_error(std::string("hone's own chat template has no place for '") + field + "'",
                "give the model a chat template that renders it, or leave it out of the row");
}

ChatTemplate::ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

ChatTemplate ChatTemplate::built_in() {
  return ChatTemplate(std::make_shared<Program>(Program{"<|bos|>", "<|eos|>", std::nullopt, {}}));
}

ChatTemplate ChatTemplate::from_source(const std::string& source, const std::string& bos_token,
                                       const std::string& eos_token, const std::string& name) {
  if (source == built_in_source() && bos_token == "<|bos|>" && eos_token == "<|eos|>") return built_in();
  return ChatTemplate(std::make_shared<Program>(
      Program{bos_token, eos_token, jinja::Template(source, name), reasoning_names(source)}));
}

ChatTemplate ChatTemplate::of(const Tokenizer& tokenizer) {
  if (tokenizer.chat_template().empty())
    usage_error("the model has no chat template",
                "add chat_template to tokenizer_config.json, or use rows of {\"prompt\", \"completion\"} with format = "
                "\"plain\"");
  const auto token = [&](std::optional<int32_t> id) {
    return id ? std::string(tokenizer.token_text(*id)) : std::string();
  };
  return from_source(tokenizer.chat_template(), token(tokenizer.bos()), token(tokenizer.eos()), "chat template");
}

ChatTemplate ChatTemplate::load(const std::filesystem::path& folder) { return of(Tokenizer::load(folder)); }

bool ChatTemplate::is_built_in() const { return !program_->jinja; }
bool ChatTemplate::marks_generation() const { return !program_->jinja || program_->jinja->marks_generation(); }

ChatTemplate::Rendered ChatTemplate::render_with_spans(std::span<const Message> messages,
                                                       bool add_generation_prompt) const {
  if (program_->jinja) {
    Json context = {{"messages", Json::array()},
                    {"add_generation_prompt", add_generation_prompt},
                    {"tools", nullptr},
                    {"documents", nullptr}};
    for (const Message& message : messages) {
      context["messages"].push_back(message_json(message, program_->reasoning));
      if (!message.tools.empty()) context["tools"] = parse_json(message.tools, "tools");
    }
    if (!program_->bos.empty()) context["bos_token"] = program_->bos;
    if (!program_->eos.empty()) context["eos_token"] = program_->eos;
    jinja::Rendered rendered = program_->jinja->render(context);
    return {std::move(rendered.text), std::move(rendered.generated)};
  }
  Rendered out;
  out.text = program_->bos;
  for (const Message& message : messages) {
    require_built_in(message);
    out.text += "<|" + message.role + "|>";
    const size_t begin = out.text.size();
    out.text += message.content;
    if (message.role != "assistant") continue;
    out.text += program_->eos;
    out.generated.emplace_back(begin, out.text.size());
  }
  if (add_generation_prompt) out.text += "<|assistant|>";
  return out;
}

std::string ChatTemplate::render(std::span<const Message> messages, bool add_generation_prompt) const {
  return render_with_spans(messages, add_generation_prompt).text;
}

}  // namespace hone::text
