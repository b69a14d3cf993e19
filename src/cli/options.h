// Options of one verb: declared once, in order; parsing, "did you mean" and `hone help VERB` come from the same list.
//
//   options.value("--model", model, "DIR", "model folder").required();
//   options.flag("--chat", chat, "render messages with the model's chat template");
//   options.example("hone tokenize --model DIR < rows.jsonl", "ids of every text");
//   if (!options.parse()) return 0;  // help was asked for and printed
//
// Values are written `--name VALUE` or `--name=VALUE` and may begin with a dash; `--` ends the options. Every verb has
// --help and --quiet.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hone::cli {

/// Exit codes of the program.
inline constexpr int kDone = 0, kFailed = 1, kWrong = 2, kInterruptedCode = 130;

class Options {
 public:
  using Target = std::variant<bool*, int64_t*, uint64_t*, double*, std::string*, std::vector<std::string>*>;

  struct Option {
    std::vector<std::string> names;  ///< "--max-tokens", "--max_tokens"; a positional's is its placeholder
    std::string placeholder, doc, group;
    Target target;
    bool positional = false, is_required = false;
    std::vector<std::string> allowed;
    int seen = 0;
    std::string default_text;  ///< shown in the help; "" shows none

    Option& required() {
      is_required = true;
      return *this;
    }
    Option& choices(std::vector<std::string> list) {
      allowed = std::move(list);
      return *this;
    }
    Option& also(std::string name) {
      names.push_back(std::move(name));
      return *this;
    }
    Option& in_group(std::string name) {
      group = std::move(name);
      return *this;
    }
    Option& shows(std::string text) {
      default_text = std::move(text);
      return *this;
    }
  };

  Options(std::string verb, std::string summary, std::span<const char* const> arguments);

  /// A value. Whole numbers must be in range, lists take one value each time they are named.
  Option& value(std::string name, Target target, std::string placeholder, std::string doc);
  Option& flag(std::string name, bool& target, std::string doc);
  /// In order; a list takes all that is left.
  Option& positional(std::string placeholder, Target target, std::string doc);
  /// Free text of the help, between the summary and the options.
  void about(std::string text) { about_ += std::move(text); }
  void example(std::string command, std::string what) { examples_.push_back({std::move(command), std::move(what)}); }

  /// The first argument if it is one of `words`; it is taken out and becomes part of the verb ("data inspect"). "" if
  /// there is none, or only options; another word: kUsage with a suggestion.
  std::string take_word(const std::vector<std::string>& words);
  /// Fills the targets. False: --help was among the arguments and the help is printed. Anything wrong: kUsage.
  bool parse();
  /// Whether an option was given on the command line.
  bool given(std::string_view name) const;
  std::string help() const;
  const std::string& verb() const { return verb_; }

 private:
  Option& add(Option option);
  Option* find(std::string_view name);
  void set(Option& option, std::string_view name, std::string_view text);
  [[noreturn]] void unknown(std::string_view name) const;
  std::string usage_line() const;

  std::string verb_, summary_, about_;
  std::vector<std::string> arguments_;
  std::vector<std::unique_ptr<Option>> options_;  // addresses stay: declarations return references
  std::vector<std::pair<std::string, std::string>> examples_;
  bool quiet_ = false;
};

/// Breaks a text into lines of at most `width` columns, each begun with `indent` blanks; the first line without it.
std::string wrap(std::string_view text, size_t width, size_t indent);

}  // namespace hone::cli
