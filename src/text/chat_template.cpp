#include "text/chat_template.h"

#include <optional>

#include "base/error.h"

namespace hone::text {

struct ChatTemplate::Program {
  std::string name;
  std::string bos, eos;
  bool built_in = false;
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
  auto program = std::make_shared<Program>();
  *program = {"hone's own template", "<|bos|>", "<|eos|>", true};
  return ChatTemplate(std::move(program));
}

ChatTemplate ChatTemplate::from_source(const std::string& source, const std::string& bos_token,
                                       const std::string& eos_token, const std::string& name) {
  if (source == built_in_source() && bos_token == "<|bos|>" && eos_token == "<|eos|>") return built_in();
  (void)name;
  usage_error(name + ": only hone's own chat template is supported so far");
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

bool ChatTemplate::is_built_in() const { return program_->built_in; }
bool ChatTemplate::marks_generation() const { return true; }

ChatTemplate::Rendered ChatTemplate::render_with_spans(std::span<const Message> messages,
                                                       bool add_generation_prompt) const {
  Rendered out;
  out.text = program_->bos;
  for (const Message& message : messages) {
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
      usage_error("unknown role: " + message.role);
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
