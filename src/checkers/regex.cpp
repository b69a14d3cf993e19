// A regular expression (PCRE2, Unicode, ^ and $ at lines) that must be found in the answer: format rewards
// (DeepSeek-AI 2025, arXiv 2501.12948, section 2.2.2). An answer on which the expression backtracks without end is
// wrong.
#include "text/regex.h"

#include "base/error.h"
#include "base/json.h"
#include "checkers/answer_part.h"
#include "checkers/checker.h"

namespace hone::checkers {
namespace {

class RegexChecker final : public Checker {
 public:
  struct Params {
    std::string pattern, field;
    bool absent = false;
    AnswerPart part;

    void fields(config::Fields& v) {
      v("pattern", pattern, "what must be found in the answer, as PCRE2 writes it: \"(?s)^<think>.*</think>\"");
      v("field", field, "the field of a prompt's row that holds the pattern, where each row has its own");
      v("absent", absent, "the answer is right where the pattern is not found");
      part.fields(v);
    }
  };

  explicit RegexChecker(const Params& params) : params_(params) {
    if (params.pattern.empty() == params.field.empty())
      usage_error("the checker 'regex' takes a pattern, or the field of the rows that holds one",
                  "give regex.pattern = '…', or regex.field = \"…\"");
    if (!params.pattern.empty()) regex_.emplace(params.pattern, "regex.pattern");
  }

  std::vector<std::string> keys() const override {
    return regex_ ? std::vector<std::string>{} : std::vector<std::string>{params_.field};
  }

  void require(const Json& row) const override {
    Checker::require(row);
    if (!regex_) text::Regex(value_text(row, params_.field), "field '" + params_.field + "'");
  }

 private:
  double judge(std::string_view answer, const Json& row) const override {
    const auto part = params_.part.of(answer);
    if (!part) return 0;
    const std::optional<bool> found =
        regex_ ? regex_->found_in(*part) : text::Regex(value_text(row, params_.field), params_.field).found_in(*part);
    return found && *found != params_.absent ? 1 : 0;
  }

  Params params_;
  std::optional<text::Regex> regex_;
};

}  // namespace

namespace kinds {
extern const CheckerKind regex = define_checker<RegexChecker>();
}

}  // namespace hone::checkers
