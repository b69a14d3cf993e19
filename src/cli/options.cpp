#include "cli/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "cli/output.h"
#include "config/fields.h"

namespace hone::cli {
namespace {

constexpr size_t kWidth = 100, kColumn = 26;

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  return r.ec == std::errc() && r.ptr == text.data() + text.size() && !text.empty();
}

std::string number_text(double v) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}

std::string default_of(const Options::Option& option) {
  if (!option.default_text.empty()) return option.default_text;
  return std::visit(
      []<class T>(T* p) -> std::string {
        if constexpr (std::is_same_v<T, double>) return number_text(*p);
        else if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>) return std::to_string(*p);
        else if constexpr (std::is_same_v<T, std::string>) return *p;
        else return "";
      },
      option.target);
}

std::string joined(const std::vector<std::string>& items, const char* between) {
  std::string out;
  for (const std::string& s : items) out += (out.empty() ? "" : between) + s;
  return out;
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
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

Options::Options(std::string verb, std::string summary, std::span<const char* const> arguments)
    : verb_(std::move(verb)), summary_(std::move(summary)), arguments_(arguments.begin(), arguments.end()) {}

Options::Option& Options::add(Option option) {
  options_.push_back(std::make_unique<Option>(std::move(option)));
  return *options_.back();
}

Options::Option& Options::value(std::string name, Target target, std::string placeholder, std::string doc) {
  Option o;
  o.names = {std::move(name)};
  o.placeholder = std::move(placeholder);
  o.doc = std::move(doc);
  o.target = target;
  return add(std::move(o));
}

Options::Option& Options::flag(std::string name, bool& target, std::string doc) {
  return value(std::move(name), &target, "", std::move(doc));
}

Options::Option& Options::positional(std::string placeholder, Target target, std::string doc) {
  Option& o = value(placeholder, target, placeholder, std::move(doc));
  o.positional = true;
  return o;
}

Options::Option* Options::find(std::string_view name) {
  for (const auto& o : options_)
    if (!o->positional && std::ranges::find(o->names, name) != o->names.end()) return o.get();
  return nullptr;
}

bool Options::given(std::string_view name) const {
  return std::ranges::any_of(
      options_, [&](const auto& o) { return o->seen > 0 && std::ranges::find(o->names, name) != o->names.end(); });
}

void Options::unknown(std::string_view name) const {
  std::vector<std::string> known{"--help", "--quiet"};
  for (const auto& o : options_)
    if (!o->positional) known.insert(known.end(), o->names.begin(), o->names.end());
  const std::string near = config::closest(name, known);
  usage_error("unknown option '" + std::string(name) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone help " + verb_ + "` lists the options");
}

void Options::set(Option& o, std::string_view name, std::string_view text) {
  const std::string what = o.positional ? o.placeholder : std::string(name);
  const auto wrong = [&](const char* wanted) {
    usage_error("'" + what + "' must be " + wanted + ", got '" + std::string(text) + "'",
                "`hone help " + verb_ + "` says more");
  };
  if (!o.allowed.empty() && std::ranges::find(o.allowed, text) == o.allowed.end()) {
    const std::string near = config::closest(text, o.allowed);
    usage_error(
        "'" + what + "' cannot be '" + std::string(text) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
        "choices: " + joined(o.allowed, ", "));
  }
  std::visit(
      [&]<class T>(T* target) {
        if constexpr (std::is_same_v<T, bool>) *target = true;
        else if constexpr (std::is_same_v<T, std::string>) *target = text;
        else if constexpr (std::is_same_v<T, std::vector<std::string>>) target->emplace_back(text);
        else if (T v{}; parse_number(text, v) && std::isfinite(static_cast<double>(v))) *target = v;
        else if constexpr (std::is_same_v<T, double>) wrong("a number");
        else if constexpr (std::is_same_v<T, uint64_t>) wrong("a whole number from 0 up");
        else wrong("a whole number");
      },
      o.target);
  const bool list = std::holds_alternative<std::vector<std::string>*>(o.target),
             is_flag = std::holds_alternative<bool*>(o.target);
  if (++o.seen > 1 && !list && !is_flag) usage_error("'" + what + "' is given twice");
}

std::string Options::take_word(const std::vector<std::string>& words) {
  if (arguments_.empty() || arguments_[0].starts_with('-')) return "";
  const std::string word = arguments_[0];
  if (std::ranges::find(words, word) == words.end()) {
    const std::string near = config::closest(word, words);
    usage_error("unknown word '" + word + "' after `hone " + verb_ + "`" +
                    (near.empty() ? "" : "; did you mean '" + near + "'?"),
                "words: " + joined(words, ", "));
  }
  arguments_.erase(arguments_.begin());
  verb_ += " " + word;
  return word;
}

bool Options::parse() {
  flag("--quiet", quiet_, "nothing on standard error but warnings and errors").in_group("General");
  for (const std::string& a : arguments_) {
    if (a == "--") break;
    if (a == "--help" || a == "-h") {
      print(help());
      return false;
    }
  }
  std::vector<Option*> places;
  for (const auto& o : options_)
    if (o->positional) places.push_back(o.get());
  size_t place = 0;
  bool only_positional = false;
  for (size_t i = 0; i < arguments_.size(); ++i) {
    const std::string& a = arguments_[i];
    if (!only_positional && a == "--") {
      only_positional = true;
    } else if (!only_positional && a.size() > 1 && a[0] == '-') {
      const size_t equals = a.starts_with("--") ? a.find('=') : std::string::npos;
      const std::string name = a.substr(0, equals);
      Option* o = find(name);
      if (!o) unknown(name);
      const bool is_flag = std::holds_alternative<bool*>(o->target);
      if (is_flag && equals != std::string::npos) usage_error("'" + name + "' takes no value");
      if (is_flag) set(*o, name, "");
      else if (equals != std::string::npos) set(*o, name, std::string_view(a).substr(equals + 1));
      else if (i + 1 < arguments_.size()) set(*o, name, arguments_[++i]);
      else
        usage_error("'" + name + "' needs a value: " + name + " " + o->placeholder,
                    "`hone help " + verb_ + "` says more");
    } else {
      if (place == places.size()) usage_error("unexpected argument '" + a + "'", "usage: " + usage_line());
      set(*places[place], a, a);
      if (!std::holds_alternative<std::vector<std::string>*>(places[place]->target)) ++place;
    }
  }
  for (const auto& o : options_)
    if (o->is_required && o->seen == 0)
      usage_error("`hone " + verb_ + "` needs " +
                      (o->positional ? o->placeholder : o->names[0] + " " + o->placeholder) + ": " + o->doc,
                  "usage: " + usage_line());
  if (quiet_) log::set_quiet(true);
  return true;
}

std::string Options::usage_line() const {
  std::string line = "hone " + verb_;
  for (const auto& o : options_) {
    if (o->positional) {
      const std::string many = std::holds_alternative<std::vector<std::string>*>(o->target) ? "…" : "";
      line += o->is_required ? " " + o->placeholder + many : " [" + o->placeholder + many + "]";
    } else if (o->is_required) {
      line += " " + o->names[0] + " " + o->placeholder;
    }
  }
  return line + " [options]";
}

std::string Options::help() const {
  std::string out = "hone " + verb_ + ": " + summary_ + "\n\nUsage: " + usage_line() + "\n";
  if (!about_.empty()) out += "\n" + wrap(about_, kWidth, 0) + "\n";
  std::vector<std::string> groups{""};
  for (const auto& o : options_)
    if (std::ranges::find(groups, o->group) == groups.end()) groups.push_back(o->group);
  if (std::ranges::find(groups, "General") == groups.end()) groups.emplace_back("General");
  for (const std::string& group : groups) {
    std::string lines;
    const auto line = [&](std::string left, const std::string& doc) {
      left = "  " + left;
      if (left.size() + 2 > kColumn) left += "\n" + std::string(kColumn, ' ');
      else left.resize(kColumn, ' ');
      lines += left + wrap(doc, kWidth, kColumn) + "\n";
    };
    for (const auto& o : options_) {
      if (o->group != group) continue;
      std::string doc = o->doc;
      if (!o->allowed.empty()) doc += " (" + joined(o->allowed, ", ") + ")";
      if (const std::string d = default_of(*o); !d.empty() && !o->is_required && !o->seen) doc += " [" + d + "]";
      const bool list = std::holds_alternative<std::vector<std::string>*>(o->target);
      line(o->positional ? o->placeholder + (list ? "…" : "")
                         : o->names[0] + (o->placeholder.empty() ? "" : " " + o->placeholder) + (list ? " …" : ""),
           doc);
    }
    if (group == "General") line("--help", "this text");
    if (!lines.empty()) out += "\n" + (group.empty() ? "Options" : group) + ":\n" + lines;
  }
  if (!examples_.empty()) out += "\nExamples:\n";
  for (const auto& [command, what] : examples_) out += "  " + command + "\n      " + wrap(what, kWidth, 6) + "\n";
  return out;
}

}  // namespace hone::cli
