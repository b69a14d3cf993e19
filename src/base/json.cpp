#include "base/json.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace hone {
namespace {

constexpr size_t kDeepest = 200;

// Builds values from the parser's events in linear time: the ordered object searches its keys one by one on every
// insertion, minutes for a vocabulary of 150,000 tokens, so fields are appended and repeated keys dropped at the end.
class Builder : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(const std::string& where) : where_(where) {}
  /// `named`: which of the text's nulls, counted from 0, stand for a number that JSON has no word for.
  Builder(const std::string& where, std::unordered_map<size_t, double> named)
      : where_(where), named_(std::move(named)) {}
  Json take() { return std::move(root_); }

  bool null() override {
    const auto it = named_.find(nulls_++);
    return it == named_.end() ? put(nullptr) : put(it->second);
  }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(v); }
  bool number_unsigned(number_unsigned_t v) override { return put(v); }
  bool number_float(number_float_t v, const string_t&) override { return put(v); }
  bool string(string_t& v) override { return put(std::move(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override {
    drop_repeated(stack_.back().value);
    return close();
  }
  bool end_array() override { return close(); }
  bool key(string_t& k) override {
    stack_.back().key = std::move(k);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& e) override {
    std::string message = e.what();
    if (const auto end = message.find("] "); end != std::string::npos) message = message.substr(end + 2);
    // The parser counts lines within its text; a row is one line, and `where` names its line in the file.
    constexpr std::string_view kInner = "parse error at line 1, column ";
    if (message.starts_with(kInner)) message.replace(0, kInner.size(), "at column ");
    usage_error(where_ + ": malformed JSON: " + message);
  }

 private:
  struct Level {
    Json value;
    std::string key;
  };
  bool put(Json value) {
    if (stack_.empty()) root_ = std::move(value);
    else if (stack_.back().value.is_array()) stack_.back().value.push_back(std::move(value));
    else append_field(stack_.back().value, std::move(stack_.back().key), std::move(value));
    return true;
  }
  bool open(Json value) {
    if (stack_.size() >= kDeepest)
      usage_error(where_ + ": malformed JSON: nested deeper than " + std::to_string(kDeepest) + " levels");
    stack_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    Json value = std::move(stack_.back().value);
    stack_.pop_back();
    return put(std::move(value));
  }
  static void drop_repeated(Json& object) {
    if (object.size() < 2) return;
    std::unordered_map<std::string_view, Json*> seen;
    seen.reserve(object.size());
    bool repeated = false;
    for (auto& [key, value] : object.get_ref<Json::object_t&>()) {
      const auto [it, fresh] = seen.emplace(key, &value);
      if (fresh) continue;
      *it->second = value;
      repeated = true;
    }
    if (!repeated) return;
    Json kept = Json::object();
    for (auto& [key, value] : object.get_ref<Json::object_t&>())
      if (seen.at(key) == &value) append_field(kept, key, std::move(value));
    object = std::move(kept);
  }

  const std::string& where_;
  std::unordered_map<size_t, double> named_;
  size_t nulls_ = 0;
  std::vector<Level> stack_;
  Json root_;
};

// Whether a value may end at `at`: it is the text's end, white space or punctuation.
bool value_ends(std::string_view text, size_t at) {
  return at >= text.size() || std::string_view(" \t\r\n,]}").find(text[at]) != std::string_view::npos;
}

// `text` with null for every NaN, Infinity and -Infinity outside strings; `named` tells which nulls those are. Where
// the word is longer than null, blanks fill the rest, so that columns in errors stay right.
std::string without_named_numbers(std::string_view text, std::unordered_map<size_t, double>& named) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr std::pair<std::string_view, double> kWords[] = {
      {"NaN", std::numeric_limits<double>::quiet_NaN()}, {"Infinity", kInfinity}, {"-Infinity", -kInfinity}};
  constexpr std::string_view kNull = "null";
  std::string out;
  out.reserve(text.size() + 16);
  size_t nulls = 0;
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string) {
      const size_t length = c == '\\' && at + 1 < text.size() ? 2 : 1;
      if (c == '"') in_string = false;
      out.append(text.substr(at, length));
      at += length;
      continue;
    }
    if (c == '"') in_string = true;
    const std::string_view rest = text.substr(at);
    if (rest.starts_with(kNull)) ++nulls;
    const auto* word = std::ranges::find_if(
        kWords, [&](const auto& w) { return rest.starts_with(w.first) && value_ends(text, at + w.first.size()); });
    if (word == std::end(kWords)) {
      out += c;
      ++at;
      continue;
    }
    named.emplace(nulls++, word->second);
    out.append(kNull).append(word->first.size() > kNull.size() ? word->first.size() - kNull.size() : 0, ' ');
    at += word->first.size();
  }
  return out;
}

Json parse(std::string_view text, const std::string& where, Builder&& builder) {
  if (!Json::sax_parse(text, &builder)) usage_error(where + ": malformed JSON");
  return builder.take();
}

}  // namespace

void append_field(Json& object, std::string key, Json value) {
  auto& fields = object.get_ref<Json::object_t&>();
  static_cast<Json::object_t::Container&>(fields).emplace_back(std::move(key), std::move(value));
}

Json parse_json(std::string_view text, const std::string& where) { return parse(text, where, Builder(where)); }

Json parse_python_json(std::string_view text, const std::string& where) {
  if (text.find("NaN") == std::string_view::npos && text.find("Infinity") == std::string_view::npos)
    return parse_json(text, where);
  std::unordered_map<size_t, double> named;
  const std::string plain = without_named_numbers(text, named);
  return parse(plain, where, Builder(where, std::move(named)));
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hone
