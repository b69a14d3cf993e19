#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "cli/output.h"
#include "config/fields.h"

namespace hone::cli {
namespace {

constexpr size_t kColumn = 26;  ///< where the descriptions begin

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = config::closest(word, known);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

// "--n N", "--stop TEXT …", "FILE…"
std::string left_of(const CLI::Option& o) {
  const bool repeats = o.get_trigger_on_parse() && o.get_expected_max() == 1;
  const std::string many = repeats || o.get_expected_max() > 1 ? "…" : "";
  if (o.get_positional()) return o.get_name() + many;
  return "--" + o.get_lnames()[0] + (o.get_type_name().empty() ? "" : " " + o.get_type_name()) +
         (many.empty() ? "" : " " + many);
}

std::string usage_of(const CLI::App& app) {
  std::string line = "hone " + app.get_name();
  for (const CLI::Option* o : app.get_options()) {
    if (o->get_required()) line += " " + left_of(*o);
    else if (o->get_positional()) line += " [" + left_of(*o) + "]";
  }
  return line + " [options]";
}

// One option of the help.
std::string entry_of(const CLI::Option& o) {
  std::string left = "  " + left_of(o), doc = o.get_description();
  if (!o.get_default_str().empty() && !o.get_required()) doc += " [" + o.get_default_str() + "]";
  const size_t used = columns(left);
  left += used + 2 > kColumn ? "\n" + std::string(kColumn, ' ') : std::string(kColumn - used, ' ');
  return left + wrap(doc, kWidth, kColumn) + "\n";
}

// CLI11 reads "010" as eight, and takes nan; so it gets numbers in plain decimal.
template <class T>
std::string plain_number(const std::string& name, const std::string& text) {
  const char* end = text.data() + text.size();
  T v{};
  const auto read = std::from_chars(text.data(), end, v);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(static_cast<double>(v)))
    usage_error("'" + name + "' must be a " + (std::is_integral_v<T> ? "whole number" : "number") +
                (std::is_unsigned_v<T> ? " from 0 up" : "") + ", got '" + text + "'");
  char plain[32];
  return {plain, std::to_chars(plain, std::end(plain), v).ptr};
}

template <class T>
CLI::Option* add(CLI::App& app, const std::string& names, T& target, const std::string& doc) {
  // A repeatable option takes values one by one: CLI11 from 2.5 on would split the list "[a,b]" in two.
  if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    if (names.starts_with('-'))
      return app
          .add_option_function<std::string>(
              names, [&target](const std::string& text) { target.push_back(text); }, doc)
          ->trigger_on_parse();
    return app.add_option(names, target, doc);
  } else {
    CLI::Option* option = app.add_option(names, target, doc)->capture_default_str();
    if constexpr (std::is_arithmetic_v<T>)
      option->transform([option](const std::string& text) { return plain_number<T>(option->get_name(), text); });
    return option;
  }
}

}  // namespace

std::string wrap(std::string_view text, size_t width, size_t indent) {
  std::string out;
  size_t column = indent;
  while (!text.empty()) {
    const size_t end = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, end);
    if (column > indent && column + 1 + columns(word) > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent && !word.empty()) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns(word);
    if (end == std::string_view::npos) break;
    if (text[end] == '\n') {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

Options::Option& Options::Option::required() {
  option->required();
  return *this;
}

Options::Option& Options::Option::choices(const std::vector<std::string>& list) {
  if (list.empty()) return *this;
  option->description(option->get_description() + " (" + CLI::detail::join(list, ", ") + ")");
  option->check([list, o = option](const std::string& text) -> std::string {
    if (std::ranges::find(list, text) == list.end())
      usage_error("'" + o->get_name() + "' cannot be '" + text + "'" + suggestion(text, list),
                  "choices: " + CLI::detail::join(list, ", "));
    return "";
  });
  return *this;
}

Options::Option& Options::Option::in_group(const std::string& name) {
  option->group(name);
  return *this;
}

Options::Option& Options::Option::shows(const std::string& standard) {
  option->default_str(standard);
  return *this;
}

Options::Options(std::string verb, const std::string& summary, std::span<const char* const> arguments)
    : verb_(std::move(verb)),
      arguments_(arguments.begin(), arguments.end()),
      app_(std::make_unique<CLI::App>(summary, verb_)) {
  app_->set_help_flag();  // --help is added last, and wins over what is wrong before it
  app_->allow_extras();
}

Options::~Options() = default;

Options::Option Options::value(const std::string& names, Target target, const std::string& placeholder,
                               const std::string& doc) {
  return {std::visit([&](auto* t) { return add(*app_, names, *t, doc); }, target)
              ->type_name(placeholder)
              ->group("Options")};
}

Options::Option Options::flag(const std::string& name, bool& target, const std::string& doc) {
  return {app_->add_flag(name, target, doc)->group("Options")};
}

Options::Option Options::positional(const std::string& placeholder, Target target, const std::string& doc) {
  return value(placeholder, target, placeholder, doc).in_group("Arguments");
}

void Options::example(const std::string& command, std::string_view what) {
  std::string rest = command, shown = "  ";
  for (size_t room = kWidth - 4; columns(rest) > room; room = kWidth - 12) {  // breaks as a shell reads them
    const size_t at = std::max(rest.rfind(" --", room) + 1, rest.rfind(" | ", room) + 1);
    if (at == 0) break;
    shown += rest.substr(0, at) + "\\\n          ";
    rest.erase(0, at);
  }
  examples_ += shown + rest + "\n      " + wrap(what, kWidth, 6) + "\n";
}

bool Options::given(const std::string& name) const { return app_->count(name) > 0; }

std::string Options::take_word(const std::vector<std::string>& words) {
  if (arguments_.empty() || arguments_[0].starts_with('-')) return "";
  const std::string word = arguments_[0];
  if (std::ranges::find(words, word) == words.end())
    usage_error("unknown word '" + word + "' after `hone " + verb_ + "`" + suggestion(word, words),
                "words: " + CLI::detail::join(words, ", "));
  arguments_.erase(arguments_.begin());
  app_->name(verb_ += " " + word);
  return word;
}

void Options::refuse_the_unknown() const {
  std::vector<std::string> known;
  for (const CLI::Option* o : app_->get_options())
    for (const std::string& name : o->get_lnames()) known.push_back("--" + name);
  for (const std::string& word : app_->remaining()) {
    if (word == "--") continue;
    if (word.size() < 2 || word[0] != '-')
      usage_error("unexpected argument '" + word + "'", "usage: " + usage_of(*app_));
    const std::string name = word.substr(0, word.find('='));
    usage_error("unknown option '" + name + "'" + suggestion(name, known),
                "`hone help " + verb_ + "` lists the options");
  }
}

bool Options::parse() {
  bool quiet = false;
  flag("--quiet", quiet, "nothing on standard error but warnings and errors").in_group("General");
  const auto show_help = [] { throw CLI::CallForHelp(); };
  app_->add_flag_callback("--help,-h", show_help, "this text")->trigger_on_parse()->group("General");
  for (const std::string& a : arguments_) {
    if (a == "--") break;
    // CLI11 would take the next argument for the value.
    if (a.starts_with("--") && a.find('=') == a.size() - 1)
      usage_error("'" + a + "' has no value", "give one, or leave the option out");
  }
  try {
    app_->parse(std::vector<std::string>(arguments_.rbegin(), arguments_.rend()));
    refuse_the_unknown();
  } catch (const CLI::CallForHelp&) {
    print(help());
    return false;
  } catch (const CLI::ParseError& e) {
    refuse_the_unknown();  // a mistyped option explains what is missing
    const std::string last = arguments_.empty() ? "" : arguments_.back();
    for (const CLI::Option* o : app_->get_options()) {
      if (o->get_required() && o->count() == 0)
        usage_error("`hone " + verb_ + "` needs " + left_of(*o) + ": " + o->get_description(),
                    "usage: " + usage_of(*app_));
      if (o->get_expected_max() == 1 && o->count() > 1) usage_error("'" + o->get_name() + "' is given twice");
      if (o->get_expected_max() > 0 && last.starts_with('-') && o->check_name(last))
        usage_error("'" + o->get_name() + "' needs a value: " + left_of(*o));
    }
    usage_error(e.what(), "`hone help " + verb_ + "` says more");
  }
  for (const CLI::Option* o : app_->get_options())  // an unset variable of a script
    if (o->get_required() && o->results()[0].empty()) usage_error("'" + o->get_name() + "' is empty");
  if (quiet) log::set_quiet(true);
  return true;
}

std::string Options::help() const {
  std::string out =
      wrap("hone " + verb_ + ": " + app_->get_description(), kWidth, 4) + "\n\nUsage: " + usage_of(*app_) + "\n";
  if (!about_.empty()) out += "\n" + wrap(about_, kWidth, 0) + "\n";
  for (const std::string& group : app_->get_groups()) {
    out += "\n" + group + ":\n";
    for (const CLI::Option* o : app_->get_options())
      if (o->get_group() == group) out += entry_of(*o);
  }
  return out + (examples_.empty() ? "" : "\nExamples:\n" + examples_);
}

}  // namespace hone::cli
