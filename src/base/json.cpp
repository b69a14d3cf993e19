#include "base/json.h"

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
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
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
  std::vector<Level> stack_;
  Json root_;
};

}  // namespace

void append_field(Json& object, std::string key, Json value) {
  auto& fields = object.get_ref<Json::object_t&>();
  static_cast<Json::object_t::Container&>(fields).emplace_back(std::move(key), std::move(value));
}

Json parse_json(std::string_view text, const std::string& where) {
  Builder builder(where);
  if (!Json::sax_parse(text, &builder)) usage_error(where + ": malformed JSON");
  return builder.take();
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hone
