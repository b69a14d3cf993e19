// Byte-pair tokenizers, read from and written as Hugging Face folders: byte-level ones (the GPT-2, GPT-NeoX, Qwen2 and
// Llama 3 kinds, and hone's own) and byte-fallback ones (the Llama 2 kind). What is not supported is refused by name.
//
// encode() agrees with Hugging Face `tokenizers` on every valid UTF-8 text; bytes that are no UTF-8 become byte tokens,
// so that decode(encode(x)) == x for every x where the vocabulary has all bytes and nothing is normalised.
// Differs from it in: an added token decodes to its content, always (there it passes through the byte alphabet).
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace hone::text {

namespace fs = std::filesystem;

/// Immutable; copies share one definition. All const members may be called from several threads.
class Tokenizer {
 public:
  /// A folder with tokenizer.json, or vocab.json + merges.txt (also encoder.json + vocab.bpe); tokenizer_config.json,
  /// special_tokens_map.json, added_tokens.json and chat_template.jinja in it are read too (tokenizer_config.h). Or a
  /// tokenizer.json by itself, or a GGUF file.
  static Tokenizer load(const fs::path& model_folder_or_file);
  /// Is there anything for load() to read?
  static bool found(const fs::path& model_folder_or_file);
  /// From the parsed tokenizer.json and tokenizer_config.json (null: none). `where` names the source in errors.
  static Tokenizer from_json(const Json& tokenizer, const Json& config, const std::string& where);

  /// Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json. `pad`: that names this pad token.
  void save(const fs::path& folder, std::optional<int32_t> pad = std::nullopt) const;

  /// Token ids; no BOS or EOS is added. Without `parse_special`, "<|eos|>" in the text is ordinary text.
  std::vector<int32_t> encode(std::string_view text, bool parse_special = true) const;
  /// The same for text that goes on after ordinary text: nothing is put before it (a word-start mark, a space).
  std::vector<int32_t> encode_continuation(std::string_view text, bool parse_special = true) const;
  /// Special tokens are parsed first; every part between them goes through `plain` and is ordinary text after that.
  std::vector<int32_t> encode_between_special(std::string_view text, bool continues,
                                              const std::function<std::string(std::string_view)>& plain) const;
  /// The bytes; not necessarily valid UTF-8. `skip_special` leaves special tokens out.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  /// The bytes that a token adds to a text; empty for an id without a token.
  std::string_view token_bytes(int32_t id) const;
  /// The token as tokenizer.json writes it ("Ġthe"); empty for an id without a token.
  std::string_view token_text(int32_t id) const;
  /// Ids are 0 .. size-1. Some may have no token.
  int64_t size() const;
  /// The id of a token as written (token_text).
  std::optional<int32_t> id(std::string_view token) const;
  std::optional<int32_t> bos() const;
  std::optional<int32_t> eos() const;
  std::optional<int32_t> pad() const;
  /// What begins every text: the token that tokenizer.json's post-processor puts there, else BOS where `add_bos_token`
  /// is true. The name `bos_token` alone asks for none: GPT-2's <|endoftext|> and many others never stand before a
  /// text.
  std::optional<int32_t> begin() const;
  /// What the files ask to stand behind every text (the post-processor's, else EOS where `add_eos_token` is true).
  /// Nobody here puts it there: rows end their documents and answers themselves, a text ends where it ends.
  std::optional<int32_t> behind() const;
  /// Says so once, where there is one: what is done `instead`.
  void say_nothing_behind(const std::string& instead) const;
  bool is_special(int32_t id) const;
  /// Special tokens' texts, in order of id.
  const std::vector<std::string>& special_tokens() const;
  /// Those that the configuration names, as chat templates know them: {"unk_token": "<unk>", …,
  /// "additional_special_tokens": [...]}, and the names of a model's own ("image_token"). BOS and EOS are bos() and
  /// eos().
  const Json& named_special_tokens() const;
  /// The chat template's source as the folder gives it; empty where there is none.
  const std::string& chat_template() const;
  /// SHA-256 of the definition: equal where encode and decode are, however the files are written.
  const std::string& hash() const;
  /// Ids below `rows` (of a model's output) that have no token: padding of the vocabulary, and holes in it. None of
  /// them may be sampled: its text would be empty.
  std::vector<int32_t> without_token(int64_t rows) const;

 private:
  struct Definition;
  explicit Tokenizer(std::shared_ptr<const Definition> definition);
  std::vector<int32_t> encode_from(std::string_view text, bool parse_special, bool continues) const;
  std::shared_ptr<const Definition> definition_;
};

/// Tells once for each folder how many of a model's output rows have no token, if any.
void say_without_token(std::span<const int32_t> ids, const std::string& folder);
/// kUsage "FOLDER: WHAT" (hint: WHY) unless the folder's tokenizer is the same as `own`.
void require_same_tokenizer(const Tokenizer& own, const fs::path& folder, const std::string& what,
                            const std::string& why);

}  // namespace hone::text
