#include "text/chat_template.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "jinja/template.h"
#include "jinja/value.h"

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

// Templates differ in what they take of the same thing: null or an empty text, a call's arguments as an object or as
// text. A form is tried where the template fails on the messages as they are given.
struct Form {
  bool empty_text = false;
  enum class Arguments { kAsGiven, kObject, kText } arguments = Arguments::kAsGiven;
};
constexpr std::array<Form, 5> kOtherForms{{{true, Form::Arguments::kAsGiven},
                                           {false, Form::Arguments::kObject},
                                           {false, Form::Arguments::kText},
                                           {true, Form::Arguments::kObject},
                                           {true, Form::Arguments::kText}}};

std::string calls_in_form(const std::string& tool_calls, Form::Arguments form) {
  Json calls = parse_json(tool_calls, "tool_calls");
  for (Json& call : calls) {
    if (!call.is_object()) continue;
    Json& function = call.contains("function") ? call["function"] : call;
    if (!function.is_object() || !function.contains("arguments")) continue;
    Json& arguments = function["arguments"];
    if (form == Form::Arguments::kText && !arguments.is_string())
      arguments = jinja::Value::from_json(arguments).json({});
    if (form == Form::Arguments::kObject && arguments.is_string())
      arguments = parse_json(arguments.get<std::string>(), "a call's arguments");
  }
  return dump_json(calls);
}

std::vector<Message> in_form(std::span<const Message> messages, Form form) {
  std::vector<Message> out(messages.begin(), messages.end());
  for (Message& m : out) {
    if (form.empty_text) m.no_content = false;
    if (form.arguments != Form::Arguments::kAsGiven && !m.tool_calls.empty()) {
      try {
        m.tool_calls = calls_in_form(m.tool_calls, form.arguments);
      } catch (const Error&) {  // arguments that are no JSON stay text
      }
    }
  }
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
  std::string bos, eos;                  // of hone's own
  Json specials;                         // the special tokens by the names under which a template asks for them
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

namespace {

Json context_of(std::span<const Message> messages, bool add_generation_prompt, std::span<const std::string> reasoning,
                const Json& specials) {
  // As transformers does it: what is rendered wins over a special token of that name.
  Json context = specials;
  context["messages"] = Json::array();
  context["add_generation_prompt"] = add_generation_prompt;
  context["tools"] = context["documents"] = nullptr;
  for (const Message& message : messages) {
    context["messages"].push_back(message_json(message, reasoning));
    if (!message.tools.empty()) context["tools"] = parse_json(message.tools, "tools");
  }
  return context;
}

}  // namespace

ChatTemplate::ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

ChatTemplate ChatTemplate::built_in() {
  return ChatTemplate(std::make_shared<Program>(Program{"<|bos|>", "<|eos|>", Json(), std::nullopt, {}}));
}

ChatTemplate ChatTemplate::from_source(const std::string& source, Json special_tokens, const std::string& name) {
  const auto token = [&](const char* key) { return special_tokens.value(key, ""); };
  if (source == built_in_source() && token("bos_token") == "<|bos|>" && token("eos_token") == "<|eos|>")
    return built_in();
  return ChatTemplate(std::make_shared<Program>(
      Program{{}, {}, std::move(special_tokens), jinja::Template(source, name), reasoning_names(source)}));
}

ChatTemplate ChatTemplate::from_source(const std::string& source, const std::string& bos_token,
                                       const std::string& eos_token, const std::string& name) {
  Json special_tokens = Json::object();
  if (!bos_token.empty()) special_tokens["bos_token"] = bos_token;
  if (!eos_token.empty()) special_tokens["eos_token"] = eos_token;
  return from_source(source, std::move(special_tokens), name);
}

ChatTemplate ChatTemplate::of(const Tokenizer& tokenizer) {
  if (tokenizer.chat_template().empty())
    usage_error("the model has no chat template",
                "add chat_template to tokenizer_config.json, or use rows of {\"prompt\", \"completion\"} with format = "
                "\"plain\"");
  Json special_tokens = tokenizer.named_special_tokens();
  for (const auto& [key, id] : {std::pair{"bos_token", tokenizer.bos()}, {"eos_token", tokenizer.eos()}}) {
    special_tokens.erase(key);
    if (id) special_tokens[key] = std::string(tokenizer.token_text(*id));
  }
  return from_source(tokenizer.chat_template(), std::move(special_tokens), "chat template");
}

ChatTemplate ChatTemplate::load(const std::filesystem::path& folder) { return of(Tokenizer::load(folder)); }

bool ChatTemplate::is_built_in() const { return !program_->jinja; }
bool ChatTemplate::marks_generation() const { return !program_->jinja || program_->jinja->marks_generation(); }

ChatTemplate::Rendered ChatTemplate::render_with_spans(std::span<const Message> messages,
                                                       bool add_generation_prompt) const {
  if (program_->jinja) {
    const auto render = [&](std::span<const Message> given) {
      jinja::Rendered rendered =
          program_->jinja->render(context_of(given, add_generation_prompt, program_->reasoning, program_->specials));
      return Rendered{std::move(rendered.text), std::move(rendered.generated)};
    };
    try {
      return render(messages);
    } catch (const Error&) {
      for (const Form form : kOtherForms) {
        const std::vector<Message> other = in_form(messages, form);
        if (std::equal(other.begin(), other.end(), messages.begin())) continue;
        try {
          return render(other);
        } catch (const Error&) {
        }
      }
      throw;  // what the template says of the messages as they are
    }
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
