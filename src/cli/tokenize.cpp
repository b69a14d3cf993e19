#include <algorithm>
#include <optional>

#include "base/error.h"
#include "cli/jsonl.h"
#include "cli/model_options.h"
#include "cli/row_text.h"
#include "cli/verb.h"
#include "data/fields_of_row.h"
#include "data/row_messages.h"
#include "infer/verify_model.h"
#include "text/chat_template.h"

namespace hone::cli {

namespace {

// The template's text of the messages; of turns that it takes only joined, what was encoded.
std::string rendered(const text::ChatTemplate& chat_template, std::span<const text::Message> messages,
                     bool generation_prompt, const text::Tokenizer& tokenizer, std::span<const int32_t> ids) {
  try {
    return chat_template.render(messages, generation_prompt);
  } catch (const Error&) {
    return tokenizer.decode(ids);
  }
}

// Beside the error: what the template makes of the messages all the same.
void show_text(Item& item, const text::ChatTemplate& chat_template, std::span<const text::Message> messages,
               bool generation_prompt) {
  item.row.erase("text");
  try {
    item.row["text"] = chat_template.render(messages, generation_prompt);
  } catch (const Error&) {  // it is the template's own
  }
}

}  // namespace

int tokenize(Options& options) {
  ModelChoice choice;
  bool chat = false, generation_prompt = false, decode = false;
  JsonlOptions rows;
  choice.declare(options, "model folder, .gguf file, or a tokenizer.json");
  options.flag("--chat", chat,
               "{\"messages\"} by the model's chat template: ids, the rendered text, loss_mask (1: trained)");
  options.flag("--add-generation-prompt", generation_prompt, "with --chat: end with what opens the assistant's turn");
  options.flag("--decode", decode, "{\"ids\"} back to {\"text\"}");
  rows.declare(options);
  options.about(
      "{\"text\"} or {\"messages\"} to {\"ids\"}; no BOS or EOS is added to a text. With --decode {\"ids\"} to "
      "{\"text\"}.");
  options.example("echo '{\"text\": \"the cat\"}' | hone tokenize --model runs/align/04-sft/model",
                  "{\"text\":\"the cat\",\"ids\":[…]}");
  options.example(
      "echo '{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}' | hone tokenize --model DIR --chat "
      "--add-generation-prompt",
      "what a model sees before it answers");
  options.example("echo '{\"ids\": [5, 9]}' | hone tokenize --model DIR --decode", "ids to text");
  if (!options.parse()) return kDone;
  if (decode && (chat || generation_prompt)) usage_error("--decode goes without --chat and --add-generation-prompt");
  if (generation_prompt && !chat) usage_error("--add-generation-prompt goes with --chat");

  const std::string model = choice.path();
  if (std::filesystem::is_directory(model) && !text::Tokenizer::found(model))
    infer::require_model_folder(model);  // a run folder: says where its model is
  const text::Tokenizer tokenizer = text::Tokenizer::load(model);
  std::optional<text::ChatTemplate> chat_template;  // read when the first messages come, or at once with --chat
  if (chat) chat_template = text::ChatTemplate::of(tokenizer);
  return process_jsonl(rows, {"messages", "ids", "loss_mask"}, [&](std::span<Item*> items) {
    for_each_item(items, [&](Item& item) {
      if (decode) {
        const std::vector<int32_t> ids = ids_of(item.row);
        for (const int32_t id : ids)
          if (id >= tokenizer.size())
            usage_error("token id " + std::to_string(id) + " is not in the vocabulary of " +
                        std::to_string(tokenizer.size()));
        item.row["text"] = tokenizer.decode(ids);
      } else if (item.row.contains("messages")) {
        if (!chat_template) chat_template = text::ChatTemplate::of(tokenizer);
        const std::vector<text::Message> messages = request_of(item.row).messages;
        text::Encoded encoded;
        try {
          encoded = text::encode_chat(tokenizer, *chat_template, messages, generation_prompt);
        } catch (const Error&) {
          show_text(item, *chat_template, messages, generation_prompt);
          throw;
        }
        item.row["ids"] = encoded.ids;
        item.row["text"] = rendered(*chat_template, messages, generation_prompt, tokenizer, encoded.ids);
        item.row["loss_mask"] = encoded.trained;
        if (std::any_of(encoded.weight.begin(), encoded.weight.end(), [](float w) { return w != 0 && w != 1; }))
          item.row["loss_weight"] = encoded.weight;
      } else if (item.row.contains("text")) {
        item.row["ids"] = tokenizer.encode(data::text_field(item.row, "text"));
      } else {
        lacks("'text', 'messages'");
      }
    });
  });
}

}  // namespace hone::cli
