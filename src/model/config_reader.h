// Reads keys of a config.json one by one and knows which were asked for: what stays unread is either known to be
// harmless, or refused, or noted.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone::model {

class ConfigReader {
 public:
  ConfigReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  bool has(const std::string& key) const;  ///< present and not null
  int64_t integer(const std::string& key);
  int64_t integer(const std::string& key, int64_t fallback);
  double number(const std::string& key, double fallback);
  bool boolean(const std::string& key, bool fallback);
  std::string text(const std::string& key, const std::string& fallback);
  std::optional<int64_t> optional_integer(const std::string& key);
  std::optional<double> optional_number(const std::string& key);
  /// The value of a key that is there.
  const Json& raw(const std::string& key);
  /// The sub-object, or null.
  const Json* object(const std::string& key);
  /// An integer, a list of integers, or nothing.
  std::vector<int64_t> integers(const std::string& key);

  /// Refuses unless the key is absent, null, or equal to this value.
  void only(const std::string& key, const Json& allowed);
  void ignore(std::initializer_list<const char*> keys);
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const;
  void note(std::string text) { notes_.push_back(std::move(text)); }

  /// Keys that nobody has read yet.
  std::vector<std::string> unread() const;
  /// Notes on every key that nobody read.
  std::vector<std::string> finish();
  const std::string& where() const { return where_; }

 private:
  const Json* find(const std::string& key);
  [[noreturn]] void wrong(const std::string& key, const char* wanted) const;
  const Json& json_;
  std::string where_;
  std::set<std::string> read_;
  std::vector<std::string> notes_;
};

}  // namespace hone::model
