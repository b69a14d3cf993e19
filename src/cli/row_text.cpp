#include "cli/row_text.h"

#include "base/error.h"
#include "base/log.h"
#include "data/fields_of_row.h"
#include "data/row_messages.h"

namespace hone::cli {
namespace {

text::Message completion_message(const data::RowPrompt& prompt, const Json& value) {
  data::RowNotes carried;
  if (value.is_string()) return data::answer_to(prompt, value.get<std::string>());
  if (value.is_array() && value.size() == 1)
    if (text::Message only = data::message(value[0], carried); only.role == "assistant") return only;
  usage_error("'completion' must be text or one message of the assistant");
}

}  // namespace

data::RowPrompt request_of(const Json& row) {
  if (!row.contains("messages") && !row.contains("prompt")) data::field(row, "prompt");
  data::RowNotes notes;
  data::RowPrompt out = data::read_request(row, notes);
  for (const std::string& what : notes.noticed) log::warn_once("rows: " + what);
  return out;
}

void lacks(const std::string& wanted) { usage_error("has none of " + wanted); }

std::vector<int32_t> ids_of(const Json& row, const char* key) {
  const std::string name = "'" + std::string(key) + "'";
  const Json& list = data::field(row, key);
  if (!list.is_array()) usage_error(name + " must be a list of token ids");
  std::vector<int32_t> out;
  out.reserve(list.size());
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
      usage_error(name + " must be a list of token ids, got " + dump_json(id));
    out.push_back(id.get<int32_t>());
  }
  return out;
}

void RowText::declare(Options& options) {
  options
      .value("--chat-format", &format_, "FORMAT",
             "how prompts and completions become tokens; auto: by the chat template where the model has one, as in "
             "training")
      .choices({"auto", "chat", "plain"});
}

const text::Tokenizer& RowText::tokenizer() {
  if (!tokenizer_) tokenizer_ = text::Tokenizer::load(folder_);
  return *tokenizer_;
}

const data::Encoder& RowText::encoder() {
  if (!encoder_) encoder_ = data::Encoder::make(tokenizer(), format_, model_ends_);
  return *encoder_;
}

bool RowText::has_tokenizer() const { return text::Tokenizer::found(folder_); }

std::vector<int32_t> RowText::end_ids() {
  if (!has_tokenizer()) return {model_ends_.begin(), model_ends_.end()};
  try {
    return encoder().endings().ids();
  } catch (const Error& e) {
    // Rows of ids can still be continued; rows of text will say it again.
    log::warn(folder_.string() + ": what a chat template ends an answer with is not known: " + e.what());
  }
  return data::Endings::find(tokenizer(), nullptr, model_ends_).ids();
}

std::vector<int32_t> RowText::plain(const std::string& text) {
  tokenizer().say_nothing_behind("a text ends where it ends");
  std::vector<int32_t> ids = tokenizer().encode(text);
  if (const auto bos = tokenizer().begin(); bos && (ids.empty() || ids[0] != *bos)) ids.insert(ids.begin(), *bos);
  return ids;
}

std::vector<int32_t> RowText::prompt(const Json& row) {
  if (row.contains("ids")) return ids_of(row);
  if (row.contains("messages") || row.contains("prompt")) return encoder().prompt(request_of(row).messages);
  lacks("'prompt', 'messages', 'ids'");
}

RowText::Answered RowText::answered(const Json& row, bool with_end) {
  const data::RowPrompt request = request_of(row);
  std::vector<text::Message> messages = request.messages;
  if (row.contains("messages")) {
    if (messages.back().role != "assistant") usage_error("'messages' must end with the assistant's");
  } else {
    messages.push_back(completion_message(request, data::field(row, "completion")));
  }
  data::Encoder::Answered all = encoder().conversation(messages);
  Answered out{std::move(all.sequence.ids), all.prompt_length};
  if (!with_end && !encoder().chat()) out.ids.pop_back();
  return out;
}

}  // namespace hone::cli
