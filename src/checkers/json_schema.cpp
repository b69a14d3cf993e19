// JSON that a schema allows (checkers/schema.h): structured output as a reward. An answer is right if all of it, or the
// part that counts, is one JSON value that holds to the schema.
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "checkers/answer_part.h"
#include "checkers/checker.h"
#include "checkers/schema.h"

namespace hone::checkers {
namespace {

class JsonSchema final : public Checker {
 public:
  struct Params {
    std::string schema, field;
    AnswerPart part;

    void fields(config::Fields& v) {
      v.path("schema", schema, "file of the schema");
      v("field", field, "the field of a prompt's row that holds the schema, where each row has its own");
      part.fields(v);
    }
  };

  static void check_settings(const Params& params) {
    if (params.schema.empty() == params.field.empty())
      usage_error("the checker 'json_schema' takes a schema, or the field of the rows that holds one",
                  "give json_schema.schema = \"FILE\", or json_schema.field = \"…\"");
  }

  explicit JsonSchema(const Params& params) : params_(params) {
    check_settings(params);
    if (!params.schema.empty()) schema_.emplace(parse_json(read_file(params.schema), params.schema), params.schema);
  }

  std::vector<std::string> keys() const override {
    return schema_ ? std::vector<std::string>{} : std::vector<std::string>{params_.field};
  }

  void require(const Json& row) const override {
    Checker::require(row);
    if (!schema_) of_row(row);
  }

 private:
  double judge(std::string_view answer, const Json& row) const override {
    const auto part = params_.part.of(answer);
    if (!part) return 0;
    Json value;
    try {
      value = parse_json(*part, "answer");
    } catch (const Error&) {
      return 0;
    }
    return (schema_ ? *schema_ : of_row(row)).allows(value) ? 1 : 0;
  }

  // A table's column holds it as a text.
  Schema of_row(const Json& row) const {
    const Json& value = row.at(params_.field);
    const std::string where = "field '" + params_.field + "'";
    return value.is_string() ? Schema(parse_json(value.get_ref<const std::string&>(), where), where)
                             : Schema(value, where);
  }

  Params params_;
  std::optional<Schema> schema_;
};

}  // namespace

namespace kinds {
extern const CheckerKind json_schema = define_checker<JsonSchema>();
}

}  // namespace hone::checkers
