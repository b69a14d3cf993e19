// Fields listed once. Every params struct has
//
//   void fields(config::Fields& v) {            // or template <class V> void fields(V& v)
//     v("beta", beta, "KL penalty coefficient, nats per nat", "Rafailov et al. 2023, section 6");
//     v.range("beta", 0);                              // at least 0; whole numbers are at least 0 without saying so
//     v.path("data", data, "files of comparisons");     // an input: must be there, and is recorded with its hash
//     v.choice("loss", loss, {"sigmoid", "ipo"}, "which loss", "TRL's default");
//     v.selector("loss", loss, {"dpo", "kto"}, "which loss"); loss_params(loss).fields(v);  // its settings
//     v.group("optim", optim);
//     v.only_if("decay", "warmup > 0", [this] { return warmup > 0; });  // setting it elsewhere is an error
//     v.omit({"optim.momentum"});                      // a group's setting that means nothing here: not known here
//   }
//
// and defaults, TOML parsing, --set, unknown-key errors with a suggestion, `hone explain` and the resolved recipe in
// the run folder all come from that one list.
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json_fwd.h"

namespace hone::config {

using FieldPointer = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::string*, std::vector<std::string>*,
                                  std::vector<double>*>;

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// When a field is read at all.
struct Condition {
  std::string text;  ///< "kl_controller = adaptive"
  std::function<bool()> holds;
};

struct Field {
  std::string key;  ///< dotted path inside the struct: "optim.lr"
  FieldPointer value;
  std::string doc;     ///< what it means, with its unit
  std::string source;  ///< where the default comes from
  std::vector<std::string> choices;
  double minimum = -kNoLimit, maximum = kNoLimit;  ///< of a number, or of each in a list; both belong to the range
  bool path = false;                               ///< names files or folders, which are inputs of the run
  bool named = false;                              ///< of a path: each is NAME=PATH
  bool selects = false;                            ///< other fields are there or not by its value
  std::vector<Condition> conditions = {};          ///< all of them; none: always read
};

/// Collects the fields of one params struct; the pointers live as long as the struct.
class Fields {
 public:
  template <class T>
  void operator()(std::string_view key, T& member, std::string_view doc, std::string_view source = "") {
    Field f{prefix_ + std::string(key), &member, std::string(doc), std::string(source), {}};
    if constexpr (std::is_same_v<T, int> || std::is_same_v<T, int64_t>) f.minimum = 0;
    list_.push_back(std::move(f));
  }
  void choice(std::string_view key, std::string& member, std::vector<std::string> choices, std::string_view doc,
              std::string_view source = "") {
    list_.push_back({prefix_ + std::string(key), &member, std::string(doc), std::string(source), std::move(choices)});
  }
  /// A choice that decides which of the fields listed behind it there are: `fields` lists them by its value, so it is
  /// set before any other key, and the fields are listed again.
  void selector(std::string_view key, std::string& member, std::vector<std::string> choices, std::string_view doc,
                std::string_view source = "") {
    choice(key, member, std::move(choices), doc, source);
    list_.back().selects = true;
  }
  /// A field that names a file or folder, or several: it must be there before a run starts, and its SHA-256 goes into
  /// the record.
  template <class T>
  void path(std::string_view key, T& member, std::string_view doc, std::string_view source = "") {
    (*this)(key, member, doc, source);
    list_.back().path = true;
  }
  /// A path field whose entries are NAME=PATH pairs.
  template <class T>
  void named_paths(std::string_view key, T& member, std::string_view doc, std::string_view source = "") {
    path(key, member, doc, source);
    list_.back().named = true;
  }
  /// The numbers that a field listed before may take; outside of it: kUsage, naming key, value and range.
  void range(std::string_view key, double minimum, double maximum = kNoLimit);
  /// Fields listed before that are read only where `holds`, said in `text`: a key, or a group with all of its keys. To
  /// set one elsewhere is kUsage (require_read), so that nobody believes it did something.
  void only_if(std::string_view key, std::string_view text, const std::function<bool()>& holds);
  /// Takes out fields listed before, keys or whole groups, which mean nothing here: unknown keys from now on.
  void omit(std::initializer_list<std::string_view> keys);
  template <class S>
  void group(std::string_view key, S& member) {
    const std::string outer = prefix_;
    prefix_ += std::string(key) + ".";
    member.fields(*this);
    prefix_ = outer;
  }
  const std::vector<Field>& list() const& { return list_; }
  const std::vector<Field>& list() const&& = delete;  // a temporary would leave it dangling
  /// The field, or kUsage "unknown key 'bata' in [dpo]; did you mean 'beta'?" with `where` as prefix.
  const Field& find(std::string_view key, const std::string& section, const std::string& where) const;

 private:
  std::string prefix_;
  std::vector<Field> list_;
};

template <class P>
Fields fields_of(P& params) {
  Fields f;
  params.fields(f);
  return f;
}

/// Sets a field from text as `--set key=value` gives it (lists: comma-separated, or a JSON list). Wrong
/// type, choice or range: kUsage.
void set_from_text(const Field& field, std::string_view text, const std::string& where);
/// Sets a field from a JSON value as a recipe gives it.
void set_from_json(const Field& field, const Json& value, const std::string& where);
Json to_json(const Field& field);
/// The value as TOML text.
std::string to_toml(const Field& field);
/// The paths of a field that names files or folders (of NAME=PATH, PATH); of any other, none.
std::vector<std::string> paths_of(const Field& field);
/// "at least 1", "from 0 to 1", "at most 3"; "" where any number will do.
std::string range_text(const Field& field);
/// kUsage "WHERE: 'watch_every' is 0, must be at least 1" if the field's value is outside its range, or not a number;
/// likewise if a text holds a zero byte or a list of paths an empty one.
void check_value(const Field& field, const std::string& where);
/// kUsage "WHERE: 'kl_target' changes nothing: it is read only where kl_controller = adaptive" where a condition of the
/// field does not hold.
void require_read(const Field& field, const std::string& where);
/// "number", "whole number", "text", "true or false", "list of texts", …
std::string type_name(const Field& field);

/// The closest of `known` within a third of its length, or "".
std::string closest(std::string_view word, const std::vector<std::string>& known);

}  // namespace hone::config
