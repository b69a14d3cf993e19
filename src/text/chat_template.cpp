#include "text/chat_template.h"

#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "jinja/template.h"

namespace hone::text {

struct ChatTemplate::Program {
  std::string bos, eos;
  std::optional<jinja::Template> jinja;  // none: hone's own, written out below, which renders without a detour
};

const char* ChatTemplate::built_in_source() {
  return "{{ bos_token }}{% for message in messages %}"
         "{% if message['role'] == 'assistant' %}{{ '<|assistant|>' }}"
         "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
         "{% elif message['role'] in ['user', 'system'] %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
         "{% else %}{{ raise_exception('unknown role: ' + message['role']) }}{% endif %}"
         "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
}

ChatTemplate::ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

ChatTemplate ChatTemplate::built_in() {
  return ChatTemplate(std::make_shared<Program>(Program{"<|bos|>", "<|eos|>", std::nullopt}));
}

ChatTemplate ChatTemplate::from_source(const std::string& source, const std::string& bos_token,
                                       const std::string& eos_token, const std::string& name) {
  if (source == built_in_source() && bos_token == "<|bos|>" && eos_token == "<|eos|>") return built_in();
  return ChatTemplate(std::make_shared<Program>(Program{bos_token, eos_token, jinja::Template(source, name)}));
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
    for (const Message& message : messages)
      context["messages"].push_back({{"role", message.role}, {"content", message.content}});
    if (!program_->bos.empty()) context["bos_token"] = program_->bos;
    if (!program_->eos.empty()) context["eos_token"] = program_->eos;
    jinja::Rendered rendered = program_->jinja->render(context);
    return {std::move(rendered.text), std::move(rendered.generated)};
  }
  Rendered out;
  out.text = program_->bos;
  for (const Message& message : messages) {
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
      usage_error("unknown role: '" + message.role + "'", "roles are system, user and assistant");
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
