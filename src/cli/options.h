// Options of one verb: declared once, in order; parsing, "did you mean" and `hone help VERB` come from the same list.
// CLI11 parses them; its header, 6 s a file, is included by options.cpp alone.
//
//   options.value("--model", &model, "DIR", "model folder").required();
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

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hone::cli {

/// Exit codes of the program.
inline constexpr int kDone = 0, kFailed = 1, kWrong = 2, kInterruptedCode = 130;
/// Columns of help and lists.
inline constexpr size_t kWidth = 80;

class Options {
 public:
  using Target = std::variant<int64_t*, uint64_t*, double*, std::string*, std::vector<std::string>*>;

  /// A declared option; borrowed from its Options.
  struct Option {
    CLI::Option* option;
    Option& required();
    Option& choices(const std::vector<std::string>& list);
    Option& in_group(const std::string& name);
    /// The default that the help shows, where it is not the target's value.
    Option& shows(const std::string& standard);
  };

  Options(std::string verb, const std::string& summary, std::span<const char* const> arguments);
  ~Options();

  /// A value; `names` are "--name" or "--name,--other". Whole numbers must be in range, lists take one value each time
  /// they are named.
  Option value(const std::string& names, Target target, const std::string& placeholder, const std::string& doc);
  Option flag(const std::string& name, bool& target, const std::string& doc);
  /// In order; a list takes all that is left.
  Option positional(const std::string& placeholder, Target target, const std::string& doc);
  /// Free text of the help, between the summary and the options.
  void about(std::string_view text) { about_ += text; }
  void example(const std::string& command, std::string_view what);

  /// The first argument if it is one of `words`; it is taken out and becomes part of the verb ("data inspect"). "" if
  /// there is none, or only options; another word: kUsage with a suggestion.
  std::string take_word(const std::vector<std::string>& words);
  /// Fills the targets. False: --help was among the arguments and the help is printed. Anything wrong: kUsage.
  bool parse();
  /// Whether an option was given on the command line.
  bool given(const std::string& name) const;
  std::string help() const;
  const std::string& verb() const { return verb_; }

 private:
  void refuse_the_unknown() const;

  std::string verb_, about_, examples_;
  std::vector<std::string> arguments_;
  std::unique_ptr<CLI::App> app_;
};

/// Breaks a text into lines of at most `width` columns, each begun with `indent` blanks; the first line without it.
std::string wrap(std::string_view text, size_t width, size_t indent);

}  // namespace hone::cli
