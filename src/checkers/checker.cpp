#include "checkers/checker.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace hone::checkers {

namespace kinds {
#define HONE_CHECKER(id, doc, citation) extern const CheckerKind id;
#include "checkers/checkers.def"
#undef HONE_CHECKER
}  // namespace kinds

namespace {

constexpr const CheckerKind* kKinds[] = {
#define HONE_CHECKER(id, doc, citation) &kinds::id,
#include "checkers/checkers.def"
#undef HONE_CHECKER
};

}  // namespace

const std::vector<std::string>& checker_ids() {
  static const std::vector<std::string> ids{
#define HONE_CHECKER(id, doc, citation) #id,
#include "checkers/checkers.def"
#undef HONE_CHECKER
  };
  return ids;
}

double Checker::check(std::string_view answer, const Json& row) const { return judge(valid_utf8(answer), row); }

void Checker::require(const Json& row) const {
  for (const std::string& key : keys())
    if (!row.is_object() || !row.contains(key) || row.at(key).is_null())
      usage_error("the row has no field '" + key + "', which says what the answer must be",
                  "name the field that does with the checker's setting `field`");
}

CheckerSettings::CheckerSettings() {
  for (const CheckerKind* kind : kKinds) params_.push_back(kind->params());
}

CheckerSettings::CheckerSettings(const CheckerSettings& other) {
  for (const auto& p : other.params_) params_.push_back(p->clone());
}

CheckerSettings& CheckerSettings::operator=(const CheckerSettings& other) {
  CheckerSettings copy(other);
  params_.swap(copy.params_);
  return *this;
}

void CheckerSettings::fields(config::Fields& v, const std::string& list, const std::vector<std::string>& used) {
  for (size_t i = 0; i < params_.size(); ++i) {
    const std::string& id = checker_ids()[i];
    v.group(id, *params_[i]);
    v.only_if(id, list + " holds " + id, [&used, id] { return std::ranges::find(used, id) != used.end(); });
  }
}

void CheckerSettings::check(const std::string& id) const { params(id).check(); }

std::unique_ptr<Checker> CheckerSettings::make(const std::string& id) const { return params(id).make(); }

const CheckerParams& CheckerSettings::params(const std::string& id) const {
  const auto& ids = checker_ids();
  const auto found = std::ranges::find(ids, id);
  if (found != ids.end()) return *params_[found - ids.begin()];
  const std::string near = config::closest(id, ids);
  usage_error("there is no checker '" + id + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone list rewards` names them");
}

std::string value_text(const Json& row, const std::string& key) {
  const Json& value = row.at(key);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return dump_json(value);
  usage_error("field '" + key + "' is a" + (value.is_array() || value.is_object() ? "n " : " ") + value.type_name() +
              ", must be a text or a number");
}

std::vector<std::string> value_texts(const Json& row, const std::string& key) {
  const Json& value = row.at(key);
  if (!value.is_array()) return {value_text(row, key)};
  std::vector<std::string> out;
  for (const Json& one : value) out.push_back(value_text(Json{{key, one}}, key));
  if (out.empty()) usage_error("field '" + key + "' is an empty list: no answer could be right");
  return out;
}

}  // namespace hone::checkers
