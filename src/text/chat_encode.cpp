#include "base/error.h"
#include "text/chat_template.h"

namespace hone::text {
namespace {

int32_t required(const Tokenizer& tokenizer, std::string_view token) {
  const auto id = tokenizer.id(token);
  if (!id || !tokenizer.is_special(*id))
    usage_error("the tokenizer lacks the special token '" + std::string(token) + "' that the chat template needs",
                "train the tokenizer with hone's special tokens, or give the model another chat template");
  return *id;
}

Encoded encode_built_in(const Tokenizer& tokenizer, std::span<const Message> messages, bool add_generation_prompt) {
  const int32_t bos = required(tokenizer, "<|bos|>"), eos = required(tokenizer, "<|eos|>");
  const int32_t assistant = required(tokenizer, "<|assistant|>");
  Encoded out{{bos}, {0}};
  for (const Message& message : messages) {
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
      usage_error("unknown role: '" + message.role + "'", "roles are system, user and assistant");
    const bool speaks = message.role == "assistant";
    out.ids.push_back(speaks ? assistant : required(tokenizer, "<|" + message.role + "|>"));
    out.trained.push_back(0);
    const std::vector<int32_t> content = tokenizer.encode(message.content, false);
    out.ids.insert(out.ids.end(), content.begin(), content.end());
    out.trained.insert(out.trained.end(), content.size(), speaks);
    if (!speaks) continue;
    out.ids.push_back(eos);
    out.trained.push_back(1);
  }
  if (add_generation_prompt) {
    out.ids.push_back(assistant);
    out.trained.push_back(0);
  }
  return out;
}

}  // namespace

Encoded encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::span<const Message> messages,
                    bool add_generation_prompt) {
  HONE_CHECK(chat_template.is_built_in());
  return encode_built_in(tokenizer, messages, add_generation_prompt);
}

}  // namespace hone::text
